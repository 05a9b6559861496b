#!/usr/bin/env node
/** The `reef` command. Kept to syntax that old Nodes read, so that they can be told what is needed. */
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `reef needs Node 24 or newer, this is ${process.version}. In a checkout of Reef, npx and npm scripts bring their own.\n`,
  );
  process.exit(1);
}
const { runCommand } = await import('./command.ts');
process.exitCode = await runCommand(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
});
