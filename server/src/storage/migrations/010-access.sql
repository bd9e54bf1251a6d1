-- Keys get a role, an end and a rotation. Keys that exist could do everything in their project; the first is the server's admin.
alter table api_keys add column role text not null default 'admin' check (role in ('viewer', 'operator', 'admin', 'server'));
alter table api_keys alter column role drop default;
alter table api_keys add column expires_at timestamptz;
alter table api_keys add column last_used_at timestamptz;
alter table api_keys add column old_hash text unique;
alter table api_keys add column old_until timestamptz;
update api_keys set role = 'server' where id = (select id from api_keys order by created_at, id limit 1);
-- An idempotency key belongs to the API key that sent it; answers are kept encrypted, since some hold a secret.
delete from idempotency_keys;
alter table idempotency_keys alter column body type bytea using null;
create index idempotency_keys_by_age on idempotency_keys (created_at);
