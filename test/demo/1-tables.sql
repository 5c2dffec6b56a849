CREATE EXTENSION biometric;
CREATE TABLE watchlist (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source  text NOT NULL,
  person  bigint NOT NULL,
  print   fingerprint NOT NULL
);
