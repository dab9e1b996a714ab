/** The first rows of a CSV for showing: quotes, quoted line breaks, BOM. Judging the rows is the server's work. */
export function firstRows(text: string, limit: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  const end = () => {
    row.push(field);
    field = "";
  };
  const input = text.replace(/^\uFEFF/, "");
  for (let at = 0; at < input.length && rows.length < limit; at++) {
    const char = input[at];
    if (quoted) {
      if (char === '"' && input[at + 1] === '"') {
        field += '"';
        at++;
      } else if (char === '"') quoted = false;
      else field += char;
    } else if (char === '"' && field === "") quoted = true;
    else if (char === ",") end();
    else if (char === "\n" || char === "\r") {
      if (char === "\r" && input[at + 1] === "\n") at++;
      end();
      if (row.some((cell) => cell !== "")) rows.push(row);
      row = [];
    } else field += char;
  }
  if (rows.length < limit && (field !== "" || row.length > 0)) {
    end();
    if (row.some((cell) => cell !== "")) rows.push(row);
  }
  return rows;
}
