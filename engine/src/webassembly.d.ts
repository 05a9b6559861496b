/** The part of the WebAssembly JavaScript API that the engine uses; Node's types leave it to the DOM library. */
declare global {
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array);
      static exports(module: Module): { name: string; kind: ExternKind }[];
      static imports(module: Module): { module: string; name: string; kind: ExternKind }[];
      static customSections(module: Module, name: string): ArrayBuffer[];
    }
    type ExternKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
    class Instance {
      constructor(module: Module, imports?: Imports);
      readonly exports: Readonly<Record<string, unknown>>;
    }
    class Memory {
      constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
      readonly buffer: ArrayBuffer | SharedArrayBuffer;
      grow(pages: number): number;
    }
    class Table {
      constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number });
      readonly length: number;
      get(index: number): unknown;
      set(index: number, value?: unknown): void;
      grow(delta: number, value?: unknown): number;
    }
    class Global<T = number> {
      constructor(descriptor: { value: 'i32' | 'i64' | 'f32' | 'f64'; mutable?: boolean }, value?: T);
      value: T;
    }
    type Imports = Record<string, Record<string, unknown>>;
    class CompileError extends Error {}
    class LinkError extends Error {}
    class RuntimeError extends Error {}
    function compile(bytes: Uint8Array): Promise<Module>;
    function validate(bytes: Uint8Array): boolean;
  }
}

export {};
