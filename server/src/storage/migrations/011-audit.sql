-- What was asked for over the admin API and what came of it: one chain of hashes a project. Rows are only ever added.
create table audit_heads (
  project_id text primary key references projects,
  sequence int not null,
  hash text not null
);
create table audit_log (
  project_id text not null references projects,
  sequence int not null,
  at timestamptz not null,
  key_id text not null,
  action text not null,
  object text,
  request_digest text not null,
  from_address text not null,
  outcome_of int,
  status int,
  previous text not null,
  hash text not null,
  primary key (project_id, sequence)
);
create unique index audit_outcomes on audit_log (project_id, outcome_of);
create function refuse_change() returns trigger language plpgsql as
  'begin raise exception ''% is append-only'', tg_table_name; end';
create trigger audit_log_is_append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_change();
