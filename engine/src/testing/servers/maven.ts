/**
 * Servers that come as Maven artifacts (Kafka, OpenSearch): their jars are resolved once and kept outside of the repository, in
 * `~/.cache/reef/maven`, for all runs and all checkouts of this user.
 *
 *     const jars = mavenJars('org.apache.kafka:kafka_2.13:4.1.0', 'org.slf4j:slf4j-nop:1.7.36');
 *     const skip = await missing(java(17), jars);
 *     spawn: `java -cp ${jars.classPath} kafka.Kafka …`
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findProgram, type Need, program } from './needs.ts';
import { runProgram } from './run-program.ts';

export interface MavenJars extends Need {
  /** For `java -cp`. */
  readonly classPath: string;
}

/**
 * `artifacts`: `group:name:version` each; what they depend on comes with them. `group:name:version:zip` is taken apart, and its jars come
 * behind the others.
 */
export function mavenJars(...artifacts: readonly string[]): MavenJars {
  const parent = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reef', 'maven');
  const folder = join(parent, createHash('sha256').update(artifacts.join('\n')).digest('hex').slice(0, 16));
  const maven = program('mvn', 'maven');
  return {
    classPath: artifacts.some(isZip) ? `${folder}/*:${folder}/zip/*` : `${folder}/*`,
    async lacks() {
      return existsSync(folder) ? undefined : `${artifacts.join(' and ')} of Maven is not there (REEF_SETUP=1 fetches it)`;
    },
    async install() {
      if ((await maven.lacks()) !== undefined) await maven.install();
      mkdirSync(parent, { recursive: true });
      const work = mkdtempSync(join(parent, 'new-'));
      try {
        writeFileSync(join(work, 'pom.xml'), pom(artifacts));
        const out = join(work, 'jars');
        const goals = [['copy-dependencies', '-DincludeScope=runtime', '-DexcludeTypes=zip', `-DoutputDirectory=${out}`]];
        if (artifacts.some(isZip))
          goals.push(['unpack-dependencies', '-DincludeTypes=zip', `-DoutputDirectory=${join(out, 'zip')}`]);
        for (const [goal, ...options] of goals) {
          const command = ['mvn', '-B', '-q', '-f', join(work, 'pom.xml'), `dependency:${goal}`, ...options];
          await runProgram(command, { timeoutMs: 600_000 });
        }
        try {
          renameSync(join(work, 'jars'), folder);
        } catch (error) {
          // Another file of tests was faster.
          if (!existsSync(folder)) throw error;
        }
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    },
  };
}

function isZip(artifact: string): boolean {
  return artifact.endsWith(':zip');
}

function pom(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version, type] = artifact.split(':');
    // What a plug-in builds on is in the server.
    const packed =
      type === undefined
        ? ''
        : `<type>${type}</type><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>`;
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${packed}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>reef</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('')}</dependencies></project>\n`;
}

const JVM_FOLDERS = '/{usr/lib/jvm,opt}/*/bin/java';

/** A Java of this version or a newer one, up to `newest`: that of JAVA_HOME, the one on PATH, or any that lies where systems put them. */
export function java(version: number, newest = Number.POSITIVE_INFINITY): Need & { command(): Promise<string> } {
  const find = async (): Promise<string | undefined> => {
    const home = process.env.JAVA_HOME;
    const known = [...(home ? [join(home, 'bin/java')] : []), findProgram('java') ?? [], globSync(JVM_FOLDERS)].flat();
    for (const file of known) {
      const found = existsSync(file) ? await javaVersion(file) : 0;
      if (found >= version && found <= newest) return file;
    }
    return undefined;
  };
  const least = Math.max(version, 17);
  const range = Number.isFinite(newest) ? `${version} to ${newest}` : `${version} or newer`;
  return {
    lacks: async () => ((await find()) === undefined ? `Java ${range} is not installed` : undefined),
    install: () => program('java', `openjdk-${least}-jre-headless`).install(),
    async command() {
      const found = await find();
      if (found === undefined) throw new Error(`Cannot find Java ${range}: ask missing(java(${version})) first`);
      return found;
    },
  };
}

async function javaVersion(file: string): Promise<number> {
  const text = await runProgram([file, '--version']).catch(() => '');
  return Number(/\b(\d+)(\.\d+)*/.exec(text)?.[1] ?? 0);
}
