-- Which node handles a request under an idempotency key, and by which attempt: the answer is stored with the action in one
-- transaction, by the attempt that holds the row; when its node dies before, the request may be sent again at once.
alter table idempotency_keys add column node text;
alter table idempotency_keys add column attempt text;
