;; A function by the rline contract (JSON form) that never returns when the row is its argument, and otherwise adds nothing.
;; `reef test` puts it before a function whose CPU limit is to be exceeded. The bytes in over-limit.ts are made of this text;
;; over-limit.test.ts assembles it again.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  ;; 0: iovec, 8: count, 16: argument count, 20: bytes of arguments, 24: pointers to arguments; 4096: arguments; 65536: the row
  (data (i32.const 64) "\03{\"Ok\":{}}\n")
  (func (export "over_limit")
    (local $length i32) (local $at i32) (local $needle i32) (local $byte i32)
    (block $read
      (loop $more
        (i32.store (i32.const 0) (i32.add (i32.const 65536) (local.get $length)))
        (i32.store (i32.const 4) (i32.sub (i32.const 131072) (local.get $length)))
        (br_if $read (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br_if $read (i32.eqz (i32.load (i32.const 8))))
        (local.set $length (i32.add (local.get $length) (i32.load (i32.const 8))))
        (br_if $more (i32.lt_u (local.get $length) (i32.const 131072)))))
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 24) (i32.const 4096)))
    (local.set $needle (i32.load (i32.const 24)))
    (block $other
      (loop $next
        (local.set $byte (i32.load8_u (i32.add (local.get $needle) (local.get $at))))
        (if (i32.eqz (local.get $byte)) (then (loop $for_ever (br $for_ever))))
        (br_if $other
          (i32.ne (local.get $byte) (i32.load8_u (i32.add (i32.const 65536) (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 11))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
