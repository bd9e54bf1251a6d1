-- People sign in at an OpenID provider, which knows them by (issuer, subject), and are members of projects. A member without
-- a person is invited: who signs in with this e-mail, verified, becomes it.
create table people (
  id text primary key,
  issuer text not null,
  subject text not null,
  email text not null,
  name text not null,
  created_at timestamptz not null default now(),
  signed_in_at timestamptz not null default now(),
  unique (issuer, subject)
);
create table members (
  id text primary key,
  project_id text not null references projects,
  email text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  person_id text references people,
  created_at timestamptz not null default now(),
  joined_at timestamptz,
  removed_at timestamptz
);
create unique index members_by_email on members (project_id, email) where removed_at is null;
create unique index members_by_person on members (person_id, project_id) where removed_at is null;
-- A session of a browser, of an API key (good as long as the secret that opened it) or of a person.
create table browser_sessions (
  hash text primary key,
  key_id text references api_keys,
  key_hash text,
  person_id text references people,
  project_id text not null references projects,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check (num_nonnulls(key_id, person_id) = 1 and num_nonnulls(key_id, key_hash) in (0, 2))
);
create index browser_sessions_by_end on browser_sessions (expires_at);
create index browser_sessions_by_person on browser_sessions (person_id);
-- A sign-in that has left for the provider: gone once it has come back.
create table sign_ins (
  hash text primary key,
  next text not null,
  expires_at timestamptz not null
);
-- People act, too.
alter table audit_log alter column key_id drop not null;
alter table audit_log add column person_id text;
alter table audit_log add constraint audit_log_actor check (num_nonnulls(key_id, person_id) = 1);
alter table releases alter column key_id drop not null;
alter table releases add column person_id text;
alter table releases add constraint releases_actor check (num_nonnulls(key_id, person_id) = 1);
