-- Run once by the image, when the volume is new, as the superuser. The agent's role is none: a superuser runs programs
-- in the container, and those dial whatever the host can reach.
\getenv password APP_PASSWORD
create role app login password :'password';
create database app owner app;
