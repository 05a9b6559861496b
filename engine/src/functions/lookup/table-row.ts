/** One row of a table file: JSON texts by name, and where it stands for messages. */
export interface TableRow {
  readonly members: ReadonlyMap<string, string>;
  readonly place: string;
}
