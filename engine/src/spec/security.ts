/** What many declarations say under `security`. */
export const rowsOnly = 'It sees only its rows: it reads no files, opens no connections and runs no code of others.';
