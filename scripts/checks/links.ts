/** Every relative link in the repository's Markdown leads to a file that git holds, and every anchor to a heading. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Anchors of a page, as GitHub makes them from its headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutCode(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of links and images that stay inside the repository. */
export function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown).replace(/`[^`\n]*`/g, '');
  const found = [...text.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g), ...text.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)];
  return found.map((match) => match[1]!).filter((target) => !/^[a-z]+:/.test(target));
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
}

export function brokenLinks(file: string, read: (file: string) => string | undefined): string[] {
  const text = read(file) ?? '';
  return linksOf(text).flatMap((link) => {
    const [path, anchor] = link.split('#', 2);
    const target = path === '' ? file : normalize(join(dirname(file), decodeURIComponent(path!)));
    const page = read(target.replace(/\/$/, ''));
    if (page === undefined) return [`${file}: ${link}: there is no ${target}`];
    if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(page).has(anchor)) {
      return [`${file}: ${link}: ${target} has no heading #${anchor}`];
    }
    return [];
  });
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  const known = new Set(files);
  for (const file of files) for (let at = dirname(file); at !== '.'; at = dirname(at)) known.add(at);
  const read = (file: string) =>
    !known.has(file) ? undefined : file.endsWith('.md') ? readFileSync(join(root, file), 'utf8') : '';
  const problems = files.filter((file) => file.endsWith('.md')).flatMap((file) => brokenLinks(file, read));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
