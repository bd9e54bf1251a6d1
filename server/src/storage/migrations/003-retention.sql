-- Every blob of the store, and when it was last put: what nothing refers to is removed some time after (retention.ts).
create table stored_blobs (
  sha256 text primary key,
  bytes bigint not null,
  touched_at timestamptz not null default now()
);
insert into stored_blobs (sha256, bytes) select sha256, max(bytes) from blobs group by sha256;
alter table blobs add column referred_at timestamptz not null default now();
create index blobs_by_digest on blobs (sha256);
-- A pruned version keeps its row (digest, lineage, metrics of its round) but not its weights.
alter table model_versions add column pruned_at timestamptz;
create index rounds_by_base on rounds (base_version) where ended_at is null;
