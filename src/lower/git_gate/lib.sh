# What the scripts of git-gate share. It is read with `.`, after `gate` was set to the directory that it lies in.
# POSIX sh, run by busybox as well as by dash. No text of a spec stands in any script: all of it is data, read from
# files beside this one and quoted wherever it is used.
# shellcheck shell=sh disable=SC2154

mirrors=${GIT_GATE_MIRRORS:-/srv/git}
identities=${GIT_GATE_IDENTITIES:-/identity}
# How many seconds one step may take: a lock, a fetch, a scan, a push.
patience=${GIT_GATE_TIMEOUT:-600}
scanner=$(cat "$gate/scanner")
# What a scanner ends with when it found something: no scanner ends so by itself.
found=42

# git reads nothing that the image, the volume or a caller left lying about, asks nobody, and leaves over SSH only.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL="$gate/gitconfig" GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1
export GIT_ATTR_NOSYSTEM=1 GIT_ALLOW_PROTOCOL=ssh GIT_SSH_VARIANT=ssh LC_ALL=C
unset GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_TRACE GIT_TRACE_PACKET GIT_EXTERNAL_DIFF GIT_DIFF_OPTS || :

# A line in the container's log.
log() {
    printf 'git-gate: %s\n' "$*" >&2
}

# The declared repository that a path of the daemon means, or nothing.
declared() {
    name=${1#"$mirrors"/}
    name=${name%/}
    case $name in
    '' | .* | -* | *[!A-Za-z0-9._-]*) return 1 ;;
    esac
    [ "$1" = "$mirrors/$name" ] || [ "$1" = "$mirrors/$name/" ] || return 1
    [ -f "$gate/repos/$name/url" ] || return 1
    printf '%s\n' "$name"
}

# A word for a shell: git hands GIT_SSH_COMMAND to one.
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# How the upstream of a repository is reached: its own key, the spec's host keys, and no configuration of anybody's.
ssh_command() {
    printf 'ssh -T -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none'
    printf ' -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=%s' \
        "$(quoted "$gate/known_hosts")"
    printf ' -o UpdateHostKeys=no -o CheckHostIP=no -o VerifyHostKeyDNS=no -o PreferredAuthentications=publickey'
    printf ' -o ClearAllForwardings=yes -o ForwardAgent=no -o ProxyCommand=none -o ControlPath=none'
    printf ' -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o LogLevel=ERROR'
    printf ' -i %s' "$(quoted "$identities/$1")"
}

# What is wrong with the identity of a repository; nothing when it is as it should be.
identity_problem() {
    file=$identities/$1
    if [ ! -f "$file" ]; then
        printf 'the identity of %s is not there: %s is no file\n' "$1" "$file"
    elif [ ! -r "$file" ]; then
        printf 'the identity of %s cannot be read\n' "$1"
    else
        case $(ls -ldL "$file") in
        -??-------*) ;;
        *) printf 'the identity of %s can be used by others than its owner: run chmod 600 on it\n' "$1" ;;
        esac
    fi
}

# Waits for the lock of a mirror, on descriptor 9, and keeps it as long as that is open.
lock() {
    exec 9>"$mirrors/$1/git-gate.lock"
    timeout "$patience" flock 9
}

# The upstream of a repository, as git takes it.
upstream() {
    cat "$gate/repos/$1/url"
}

# Runs git with the upstream of a repository at the other end, for so long and no longer.
with_upstream() {
    repo=$1
    shift
    GIT_SSH_COMMAND=$(ssh_command "$repo") timeout "$patience" git "$@"
}

# Makes a mirror what its upstream is now. One connection when nothing changed, two when something did.
refresh() {
    url=$(upstream "$1") && mirror=$mirrors/$1 || return 1
    listed=$(with_upstream "$1" --git-dir="$mirror" ls-remote --symref -- "$url" HEAD 'refs/heads/*' 'refs/tags/*') ||
        return 1
    there=$(printf '%s\n' "$listed" | sed -n '/^[0-9a-f]*	refs\/\(heads\|tags\)\//{/\^{}$/!p;}' | sort) || return 1
    here=$(git --git-dir="$mirror" for-each-ref --format='%(objectname)	%(refname)' refs/heads refs/tags | sort) ||
        return 1
    if [ "$there" != "$here" ]; then
        with_upstream "$1" --git-dir="$mirror" fetch --quiet --prune --force --no-tags --no-write-fetch-head \
            --no-recurse-submodules --no-auto-maintenance -- "$url" \
            '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' || return 1
    fi
    # A clone checks out what the upstream would check out.
    head=$(printf '%s\n' "$listed" | sed -n 's/^ref: \(refs\/heads\/.*\)	HEAD$/\1/p') || return 1
    if [ -n "$head" ] && [ "$head" != "$(git --git-dir="$mirror" symbolic-ref -q HEAD)" ]; then
        git --git-dir="$mirror" symbolic-ref HEAD "$head" || return 1
    fi
}

# Scans standard input; the report goes to the file $2, the scanner's own words to $3, and $1 is an empty directory of
# its own: a scanner looks for configuration and lists of exceptions in the place that it is started in. A comment that
# says "allow" is not heeded: who pushes could write one.
scan() {
    case $scanner in
    gitleaks)
        # Flags and what it ends with: run with gitleaks 8.30.1.
        set -- "$1" "$2" "$3" gitleaks stdin --no-banner --no-color --log-level error --redact \
            --ignore-gitleaks-allow --gitleaks-ignore-path "$1" --report-format json --report-path "$2"
        ;;
    betterleaks)
        # Flags: run with betterleaks 2.0.0-rc.4; releases before 2 have others.
        set -- "$1" "$2" "$3" betterleaks stdin --no-banner --no-color --log-level error --silent --redact \
            --no-allow-signatures --output "$2"
        ;;
    *) return 1 ;;
    esac
    place=$1
    words=$3
    shift 3
    cd "$place" && env -i PATH="$PATH" HOME="$place" TMPDIR="$place" timeout "$patience" "$@" \
        --config "$gate/scanner.toml" --max-decode-depth 5 --exit-code "$found" >"$words" 2>&1
}

# Whether the scanner finds what it must: one that is missing, broken or told to find nothing is no scanner. The token
# is none of anybody's, and put together here so that this file does not hold it.
scanner_works() {
    status=0
    printf 'token = "%s_%s"\n' ghp w8sK2mQx9Tz4LbVc7Yn3Rf6Jh1Gd5Pa0EuSo | (scan "$1" "$1.control.json" "$1.words") || status=$?
    [ "$status" = "$found" ]
}
