CREATE TABLE readings (id TEXT, station TEXT, hour TEXT, temperature_c REAL, wind_kmh REAL);
INSERT INTO readings VALUES
  ('brest-06', 'Brest', '2026-01-10T06', 8.5, 42),
  ('brest-12', 'Brest', '2026-01-10T12', 11, 50),
  ('strasbourg-06', 'Strasbourg', '2026-01-10T06', -6.5, 12),
  ('strasbourg-12', 'Strasbourg', '2026-01-10T12', -1, 20),
  ('briancon-06', 'Briançon', '2026-01-10T06', -14, 3),
  ('briancon-12', 'Briançon', '2026-01-10T12', -300, 8);
