-- Which node writes an upload now: one at a time. A dead node's place is taken by the next that asks.
create table upload_writers (
  assignment_id text primary key,
  node text not null
);
-- Sign-in challenges that were answered, until they are worth nothing: each is good for one session, at whichever node.
create table used_challenges (
  digest text primary key,
  expires_at timestamptz not null
);
