//! placeholder until merged
use std::fmt;
use std::str::FromStr;
/// version
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version { /// a
 pub major: u32, /// b
 pub minor: u32, /// c
 pub patch: u32 }
impl FromStr for Version { type Err = String; fn from_str(s:&str)->Result<Self,String>{ let v: Vec<u32> = s.split('.').map(|p| p.parse().map_err(|_| "expected three numbers".to_string())).collect::<Result<_,_>>()?; if let [major,minor,patch]=v[..] {Ok(Self{major,minor,patch})} else {Err("expected three numbers".into())} } }
impl fmt::Display for Version { fn fmt(&self,f:&mut fmt::Formatter<'_>)->fmt::Result{ write!(f,"{}.{}.{}",self.major,self.minor,self.patch)} }
