-- Servers that share this database, each with a row that it touches every second.
create table nodes (
  id text primary key,
  seen_at timestamptz not null default now()
);
-- Who publishes a closed round, and whose memory holds a secure group: a dead node's are freed.
alter table rounds add column publisher text;
alter table groups add column node text;
-- Where socket.io's adapter leaves messages that are too long for NOTIFY.
create table socket_io_attachments (
  id bigserial primary key,
  created_at timestamptz not null default now(),
  payload bytea
);
