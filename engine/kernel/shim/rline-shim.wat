;; The rline shim stands between the row loop and a guest. It has two memories at hand, the guest's ($g) and the kernel's ($k, shared),
;; and a third of its own ($o), so rows go from the kernel to the guest and answers come back without JavaScript.
;; It holds: the row loop; WASI preview 1 without privileges; the picture of the guest's memory that a reset goes back to.
;;
;; What it promises: a pointer from the guest is checked against the guest's memory before it is used (else EFAULT); nothing is written
;; to $k outside the output and log room it was given; no call runs long without asking fuel_out.
;;
;; Result of a row, 32 bytes at `results + 32 * row`:
;;   0 status  4 output start  8 output end (both in $k; status large: 0 and the length, in $o from 0)  12 detail
;;   16 log start  20 log end (fd 2, in $k)  24 bytes of fd 2 that were dropped  28 unused
;; status: 0 ended  1 trapped  2 proc_exit (detail: code)  3 too much output  4 ended, output in $o
(module
  (import "reef" "memory" (memory $g 0))
  (import "kernel" "memory" (memory $k 1 65536 shared))
  (import "reef" "fuel_out" (func $fuel_out (result i32)))
  (memory $o (export "own") 0 32768)
  (table $guest (export "guest") 1 funcref)
  (type $row (func))

  ;; The run: rows in, results out, room for output and log.
  (global $row (export "row") (mut i32) (i32.const 0))
  (global $results (mut i32) (i32.const 0))
  (global $in (mut i32) (i32.const 0))
  (global $inEnd (mut i32) (i32.const 0))
  (global $out (export "out") (mut i32) (i32.const 0))
  (global $outEnd (mut i32) (i32.const 0))
  (global $log (export "log") (mut i32) (i32.const 0))
  (global $logEnd (mut i32) (i32.const 0))

  ;; The current row.
  (global $status (export "status") (mut i32) (i32.const 0))
  (global $detail (export "detail") (mut i32) (i32.const 0))
  (global $outStart (mut i32) (i32.const 0))
  (global $gathered (mut i32) (i32.const 0))
  (global $large (mut i32) (i32.const 0))
  (global $logStart (mut i32) (i32.const 0))
  (global $dropped (mut i32) (i32.const 0))

  ;; Settings.
  (global $maxOutput (export "maxOutput") (mut i32) (i32.const 16777216))
  (global $maxRowLog (export "maxRowLog") (mut i32) (i32.const 2048))
  (global $now (export "now") (mut i64) (i64.const 0))

  ;; What the guest can see of the outside, put back by a reset: a clock that only its own reads and sleeps move, and a fixed seed.
  (global $clock (mut i64) (i64.const 1000000000))
  (global $seed (mut i64) (i64.const 0x9e3779b97f4a7c15))
  (global $clockAtPicture (mut i64) (i64.const 0))
  (global $seedAtPicture (mut i64) (i64.const 0))

  ;; ------------------------------------------------------------------------------------------------------------ the row loop

  ;; Where results go and where the guest's words have room. Starts at row 0.
  (func (export "begin") (param $res i32) (param $o i32) (param $oEnd i32) (param $l i32) (param $lEnd i32)
    (global.set $row (i32.const 0))
    (global.set $results (local.get $res))
    (global.set $out (local.get $o))
    (global.set $outEnd (local.get $oEnd))
    (global.set $log (local.get $l))
    (global.set $logEnd (local.get $lEnd)))

  ;; Runs rows from $row to n; `inputs` points to pairs (start, end) of rows in $k. Returns the next row: n when all are done, less
  ;; after a row with large output, which must be fetched from $o first.
  (func (export "run") (param $n i32) (param $inputs i32) (result i32)
    (local $pair i32)
    (local.set $pair (i32.add (local.get $inputs) (i32.shl (global.get $row) (i32.const 3))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (global.get $row) (local.get $n)))
        (global.set $in (i32.load $k (local.get $pair)))
        (global.set $inEnd (i32.load $k offset=4 (local.get $pair)))
        (local.set $pair (i32.add (local.get $pair) (i32.const 8)))
        (call $open)
        (call_indirect $guest (type $row) (i32.const 0))
        (call $close (select (i32.const 4) (i32.const 0) (global.get $large)))
        (br_if $next (i32.eqz (global.get $large)))))
    (global.get $row))

  ;; The row that was interrupted ends with what the guest said (proc_exit, too much output), or `reason` when it said nothing.
  ;; Of its output the first 4 KiB are kept.
  (func (export "abandon") (param $reason i32) (result i32)
    (if (i32.gt_u (i32.sub (global.get $out) (global.get $outStart)) (i32.const 4096))
      (then (global.set $out (i32.add (global.get $outStart) (i32.const 4096)))))
    (call $close (select (global.get $status) (local.get $reason) (global.get $status)))
    (global.get $status))

  ;; Calls the guest outside of any row (its _initialize): nothing to read, output is dropped.
  (func (export "call")
    (global.set $in (i32.const 0))
    (global.set $inEnd (i32.const 0))
    (call $open)
    (call_indirect $guest (type $row) (i32.const 0))
    (global.set $large (i32.const 0)))

  (func $open
    (global.set $status (i32.const 0))
    (global.set $detail (i32.const 0))
    (global.set $outStart (global.get $out))
    (global.set $gathered (i32.const 0))
    (global.set $large (i32.const 0))
    (global.set $logStart (global.get $log))
    (global.set $dropped (i32.const 0)))

  (func $close (param $status i32)
    (local $at i32)
    (local.set $at (i32.add (global.get $results) (i32.shl (global.get $row) (i32.const 5))))
    (i32.store $k (local.get $at) (local.get $status))
    (i32.store $k offset=4 (local.get $at) (select (i32.const 0) (global.get $outStart) (global.get $large)))
    (i32.store $k offset=8 (local.get $at) (select (global.get $gathered) (global.get $out) (global.get $large)))
    (i32.store $k offset=12 (local.get $at) (global.get $detail))
    (i32.store $k offset=16 (local.get $at) (global.get $logStart))
    (i32.store $k offset=20 (local.get $at) (global.get $log))
    (i32.store $k offset=24 (local.get $at) (global.get $dropped))
    (i32.store $k offset=28 (local.get $at) (i32.const 0))
    (global.set $status (local.get $status))
    (global.set $row (i32.add (global.get $row) (i32.const 1))))

  ;; Ends the row from inside a call of the guest.
  (func $stop (param $status i32) (param $detail i32)
    (global.set $status (local.get $status))
    (global.set $detail (local.get $detail))
    (unreachable))

  ;; ------------------------------------------------------------------------------------------------------------ the guest's memory

  (func $inside (param $at i32) (param $length i32) (result i32)
    (i64.le_u
      (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $length)))
      (i64.shl (i64.extend_i32_u (memory.size $g)) (i64.const 16))))

  ;; Blocks of 4 KiB that hold anything but zeros. Reading untouched memory makes no page of it resident.
  (func $isZero (param $at i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.const 4096)))
    (loop $more
      (if (v128.any_true
            (v128.or
              (v128.or
                (v128.or (v128.load $g (local.get $at)) (v128.load $g offset=16 (local.get $at)))
                (v128.or (v128.load $g offset=32 (local.get $at)) (v128.load $g offset=48 (local.get $at))))
              (v128.or
                (v128.or (v128.load $g offset=64 (local.get $at)) (v128.load $g offset=80 (local.get $at)))
                (v128.or (v128.load $g offset=96 (local.get $at)) (v128.load $g offset=112 (local.get $at))))))
        (then (return (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.const 128)))
      (br_if $more (i32.ne (local.get $at) (local.get $end))))
    (i32.const 1))

  ;; Length of the picture in $o: a count, the block numbers, then the blocks from `pictureBlocks` on.
  (global $blocks (mut i32) (i32.const 0))
  (global $pictureBlocks (mut i32) (i32.const 0))
  (global $largeAt (export "largeAt") (mut i32) (i32.const 0))

  ;; Makes $o at least this large; 0 when it cannot be.
  (func $own (param $bytes i32) (result i32)
    (local $pages i32)
    (local.set $pages (i32.add (i32.shr_u (local.get $bytes) (i32.const 16)) (i32.const 1)))
    (if (i32.gt_u (local.get $pages) (memory.size $o))
      (then
        (return (i32.ne
          (memory.grow $o (i32.sub (local.get $pages) (memory.size $o)))
          (i32.const -1)))))
    (i32.const 1))

  ;; Keeps what the guest's memory holds now. Returns the number of blocks kept, -1 when there is no room.
  (func (export "picture") (result i32)
    (local $block i32) (local $end i32) (local $count i32) (local $at i32)
    (local.set $end (i32.shl (memory.size $g) (i32.const 4)))
    (block $counted
      (loop $more
        (br_if $counted (i32.eq (local.get $block) (local.get $end)))
        (local.set $count (i32.add (local.get $count) (i32.eqz (call $isZero (i32.shl (local.get $block) (i32.const 12))))))
        (local.set $block (i32.add (local.get $block) (i32.const 1)))
        (br $more)))
    (local.set $at (i32.and (i32.add (i32.shl (local.get $count) (i32.const 2)) (i32.const 4095)) (i32.const -4096)))
    (if (i32.eqz (call $own (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 12))))) (then (return (i32.const -1))))
    (global.set $blocks (local.get $count))
    (global.set $pictureBlocks (local.get $at))
    (global.set $largeAt (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 12))))
    (global.set $clockAtPicture (global.get $clock))
    (global.set $seedAtPicture (global.get $seed))
    (local.set $count (i32.const 0))
    (local.set $block (i32.const 0))
    (block $copied
      (loop $more
        (br_if $copied (i32.eq (local.get $block) (local.get $end)))
        (if (i32.eqz (call $isZero (i32.shl (local.get $block) (i32.const 12))))
          (then
            (i32.store $o (i32.shl (local.get $count) (i32.const 2)) (local.get $block))
            (memory.copy $o $g
              (i32.add (global.get $pictureBlocks) (i32.shl (local.get $count) (i32.const 12)))
              (i32.shl (local.get $block) (i32.const 12))
              (i32.const 4096))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (local.set $block (i32.add (local.get $block) (i32.const 1)))
        (br $more)))
    (global.get $blocks))

  ;; Makes the guest's memory what it was at the picture; grown pages are zero. Blocks that are zero and shall be are only read.
  (func (export "reset")
    (call $restore (global.get $blocks))
    (global.set $clock (global.get $clockAtPicture))
    (global.set $seed (global.get $seedAtPicture)))

  ;; Makes the guest's memory what it is before anything was put there, for a new instance over it.
  (func (export "zero")
    (call $restore (i32.const 0))
    (global.set $clock (i64.const 1000000000))
    (global.set $seed (i64.const 0x9e3779b97f4a7c15)))

  (func $restore (param $blocks i32)
    (local $block i32) (local $end i32) (local $kept i32) (local $next i32) (local $at i32)
    (local.set $end (i32.shl (memory.size $g) (i32.const 4)))
    (local.set $next (i32.const -1))
    (if (local.get $blocks) (then (local.set $next (i32.load $o (i32.const 0)))))
    (block $done
      (loop $more
        (br_if $done (i32.eq (local.get $block) (local.get $end)))
        (local.set $at (i32.shl (local.get $block) (i32.const 12)))
        (if (i32.eq (local.get $block) (local.get $next))
          (then
            (memory.copy $g $o
              (local.get $at)
              (i32.add (global.get $pictureBlocks) (i32.shl (local.get $kept) (i32.const 12)))
              (i32.const 4096))
            (local.set $kept (i32.add (local.get $kept) (i32.const 1)))
            (local.set $next (i32.const -1))
            (if (i32.lt_u (local.get $kept) (local.get $blocks))
              (then (local.set $next (i32.load $o (i32.shl (local.get $kept) (i32.const 2)))))))
          (else
            (if (i32.eqz (call $isZero (local.get $at)))
              (then (memory.fill $g (local.get $at) (i32.const 0) (i32.const 4096))))))
        (local.set $block (i32.add (local.get $block) (i32.const 1)))
        (br $more))))

  ;; ------------------------------------------------------------------------------------------------------------ standard streams

  ;; $k to $g. Short pieces are the rule, and a loop is quicker for them than the call that memory.copy makes.
  (func $toGuest (param $to i32) (param $from i32) (param $length i32)
    (if (i32.gt_u (local.get $length) (i32.const 96))
      (then (memory.copy $g $k (local.get $to) (local.get $from) (local.get $length)) (return)))
    (block $done
      (loop $words
        (br_if $done (i32.lt_u (local.get $length) (i32.const 8)))
        (i64.store $g (local.get $to) (i64.load $k (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $length (i32.sub (local.get $length) (i32.const 8)))
        (br $words)))
    (block $end
      (loop $bytes
        (br_if $end (i32.eqz (local.get $length)))
        (i32.store8 $g (local.get $to) (i32.load8_u $k (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $bytes))))

  (func $toKernel (param $to i32) (param $from i32) (param $length i32)
    (if (i32.gt_u (local.get $length) (i32.const 96))
      (then (memory.copy $k $g (local.get $to) (local.get $from) (local.get $length)) (return)))
    (block $done
      (loop $words
        (br_if $done (i32.lt_u (local.get $length) (i32.const 8)))
        (i64.store $k (local.get $to) (i64.load $g (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 8)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (local.set $length (i32.sub (local.get $length) (i32.const 8)))
        (br $words)))
    (block $end
      (loop $bytes
        (br_if $end (i32.eqz (local.get $length)))
        (i32.store8 $k (local.get $to) (i32.load8_u $g (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $bytes))))

  (func (export "fd_read") (param $fd i32) (param $vectors i32) (param $count i32) (param $result i32) (result i32)
    (local $to i32) (local $length i32) (local $part i32) (local $total i32)
    (if (local.get $fd) (then (return (i32.const 8)))) ;; EBADF
    (if (i32.gt_u (local.get $count) (i32.const 1024)) (then (local.set $count (i32.const 1024))))
    (if (i32.eqz (i32.and
          (call $inside (local.get $vectors) (i32.shl (local.get $count) (i32.const 3)))
          (call $inside (local.get $result) (i32.const 4))))
      (then (return (i32.const 21)))) ;; EFAULT
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $to (i32.load $g (local.get $vectors)))
        (local.set $length (i32.load $g offset=4 (local.get $vectors)))
        (local.set $part (i32.sub (global.get $inEnd) (global.get $in)))
        (if (i32.gt_u (local.get $part) (local.get $length)) (then (local.set $part (local.get $length))))
        (if (i32.eqz (call $inside (local.get $to) (local.get $part))) (then (return (i32.const 21))))
        (call $toGuest (local.get $to) (global.get $in) (local.get $part))
        (global.set $in (i32.add (global.get $in) (local.get $part)))
        (local.set $total (i32.add (local.get $total) (local.get $part)))
        (br_if $done (i32.lt_u (local.get $part) (local.get $length)))
        (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store $g (local.get $result) (local.get $total))
    (i32.const 0))

  (func (export "fd_write") (param $fd i32) (param $vectors i32) (param $count i32) (param $result i32) (result i32)
    (local $from i32) (local $length i32) (local $total i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (if (i32.gt_u (local.get $count) (i32.const 1024)) (then (local.set $count (i32.const 1024))))
    (if (i32.eqz (i32.and
          (call $inside (local.get $vectors) (i32.shl (local.get $count) (i32.const 3)))
          (call $inside (local.get $result) (i32.const 4))))
      (then (return (i32.const 21))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $from (i32.load $g (local.get $vectors)))
        (local.set $length (i32.load $g offset=4 (local.get $vectors)))
        (if (i32.eqz (call $inside (local.get $from) (local.get $length))) (then (return (i32.const 21))))
        (if (i32.eq (local.get $fd) (i32.const 1))
          (then (call $answer (local.get $from) (local.get $length)))
          (else (call $complain (local.get $from) (local.get $length))))
        (local.set $total (i32.add (local.get $total) (local.get $length)))
        (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store $g (local.get $result) (local.get $total))
    (i32.const 0))

  ;; Standard output is gathered in $k; an answer that outgrows the room there moves to $o.
  (func $answer (param $from i32) (param $length i32)
    (if (i32.gt_u (local.get $length) (i32.sub (global.get $maxOutput) (global.get $gathered)))
      (then (call $stop (i32.const 3) (global.get $maxOutput))))
    (if (i32.eqz (global.get $large))
      (then
        (if (i32.le_u (local.get $length) (i32.sub (global.get $outEnd) (global.get $out)))
          (then
            (call $toKernel (global.get $out) (local.get $from) (local.get $length))
            (global.set $out (i32.add (global.get $out) (local.get $length)))
            (global.set $gathered (i32.add (global.get $gathered) (local.get $length)))
            (return)))
        (if (i32.eqz (call $own (i32.add (global.get $largeAt) (global.get $gathered))))
          (then (call $stop (i32.const 3) (global.get $gathered))))
        (memory.copy $o $k (global.get $largeAt) (global.get $outStart) (global.get $gathered))
        (global.set $out (global.get $outStart))
        (global.set $large (i32.const 1))))
    (if (i32.eqz (call $own (i32.add (global.get $largeAt) (i32.add (global.get $gathered) (local.get $length)))))
      (then (call $stop (i32.const 3) (global.get $gathered))))
    (memory.copy $o $g (i32.add (global.get $largeAt) (global.get $gathered)) (local.get $from) (local.get $length))
    (global.set $gathered (i32.add (global.get $gathered) (local.get $length))))

  ;; Standard error: the first bytes of each row while the log has room; the rest is counted.
  (func $complain (param $from i32) (param $length i32)
    (local $room i32)
    (local.set $room (i32.sub (global.get $maxRowLog) (i32.sub (global.get $log) (global.get $logStart))))
    (if (i32.gt_u (local.get $room) (i32.sub (global.get $logEnd) (global.get $log)))
      (then (local.set $room (i32.sub (global.get $logEnd) (global.get $log)))))
    (if (i32.gt_u (local.get $length) (local.get $room))
      (then
        (global.set $dropped (i32.add (global.get $dropped) (i32.sub (local.get $length) (local.get $room))))
        ;; The count sticks at its top rather than starting anew.
        (if (i32.lt_u (global.get $dropped) (i32.sub (local.get $length) (local.get $room)))
          (then (global.set $dropped (i32.const -1))))
        (local.set $length (local.get $room))))
    (call $toKernel (global.get $log) (local.get $from) (local.get $length))
    (global.set $log (i32.add (global.get $log) (local.get $length))))

  ;; ------------------------------------------------------------------------------------------------------------ WASI, the rest

  ;; A character device without rights but reading (fd 0) or writing (fd 1, 2).
  (func (export "fd_fdstat_get") (param $fd i32) (param $at i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (if (i32.eqz (call $inside (local.get $at) (i32.const 24))) (then (return (i32.const 21))))
    (i64.store $g (local.get $at) (i64.const 2))
    (i64.store $g offset=8 (local.get $at) (select (i64.const 64) (i64.const 2) (local.get $fd)))
    (i64.store $g offset=16 (local.get $at) (i64.const 0))
    (i32.const 0))

  (func (export "fd_filestat_get") (param $fd i32) (param $at i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (if (i32.eqz (call $inside (local.get $at) (i32.const 64))) (then (return (i32.const 21))))
    (memory.fill $g (local.get $at) (i32.const 0) (i32.const 64))
    (i32.store8 $g offset=16 (local.get $at) (i32.const 2))
    (i32.const 0))

  (func $standard (param $fd i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "fd_close") (param i32) (result i32) (call $standard (local.get 0)))
  (func (export "fd_sync") (param i32) (result i32) (call $standard (local.get 0)))
  (func (export "fd_datasync") (param i32) (result i32) (call $standard (local.get 0)))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (call $standard (local.get 0)))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (call $standard (local.get 0)))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; Streams cannot be sought (ESPIPE); no folder is open (EBADF), and wasi-libc stops looking for one at the first such answer.
  (func $seek (param $fd i32) (result i32)
    (select (i32.const 8) (i32.const 70) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (call $seek (local.get 0)))
  (func (export "fd_tell") (param i32 i32) (result i32) (call $seek (local.get 0)))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))

  ;; No arguments, no environment.
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (if (i32.eqz (i32.and
          (call $inside (local.get $count) (i32.const 4))
          (call $inside (local.get $bytes) (i32.const 4))))
      (then (return (i32.const 21))))
    (i32.store $g (local.get $count) (i32.const 0))
    (i32.store $g (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (func (export "args_sizes_get") (param i32 i32) (result i32) (call $none (local.get 0) (local.get 1)))
  (func (export "environ_sizes_get") (param i32 i32) (result i32) (call $none (local.get 0) (local.get 1)))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; The wall clock stands at the time when the batch came in. The others move a microsecond at each look, so that a loop that waits
  ;; for them ends, and are never 0, which Go refuses.
  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $at i32) (result i32)
    (if (i32.gt_u (local.get $id) (i32.const 3)) (then (return (i32.const 28)))) ;; EINVAL
    (if (i32.eqz (call $inside (local.get $at) (i32.const 8))) (then (return (i32.const 21))))
    (global.set $clock (i64.add (global.get $clock) (i64.const 1000)))
    (i64.store $g (local.get $at) (select (global.get $clock) (global.get $now) (local.get $id)))
    (i32.const 0))
  (func (export "clock_res_get") (param $id i32) (param $at i32) (result i32)
    (if (i32.gt_u (local.get $id) (i32.const 3)) (then (return (i32.const 28))))
    (if (i32.eqz (call $inside (local.get $at) (i32.const 8))) (then (return (i32.const 21))))
    (i64.store $g (local.get $at) (i64.const 1000))
    (i32.const 0))

  ;; xorshift64*, eight bytes at a time, from a fixed seed. Every MiB, over all calls, counts as a slice of fuel.
  (global $untilLook (mut i32) (i32.const 131072))
  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (local $value i64)
    (if (i32.eqz (call $inside (local.get $at) (local.get $length))) (then (return (i32.const 21))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (local.set $value (global.get $seed))
        (local.set $value (i64.xor (local.get $value) (i64.shr_u (local.get $value) (i64.const 12))))
        (local.set $value (i64.xor (local.get $value) (i64.shl (local.get $value) (i64.const 25))))
        (local.set $value (i64.xor (local.get $value) (i64.shr_u (local.get $value) (i64.const 27))))
        (global.set $seed (local.get $value))
        (local.set $value (i64.mul (local.get $value) (i64.const 0x2545f4914f6cdd1d)))
        (if (i32.ge_u (local.get $length) (i32.const 8))
          (then
            (i64.store $g (local.get $at) (local.get $value))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (local.set $length (i32.sub (local.get $length) (i32.const 8))))
          (else
            (loop $tail
              (i64.store8 $g (local.get $at) (local.get $value))
              (local.set $value (i64.shr_u (local.get $value) (i64.const 8)))
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (local.set $length (i32.sub (local.get $length) (i32.const 1)))
              (br_if $tail (local.get $length)))))
        (global.set $untilLook (i32.sub (global.get $untilLook) (i32.const 1)))
        (if (i32.eqz (global.get $untilLook))
          (then
            (global.set $untilLook (i32.const 131072))
            (if (call $fuel_out) (then (unreachable)))))
        (br $next)))
    (i32.const 0))

  ;; Sleeping takes no time: the guest's own clock moves on by it. Waiting for a file or socket is answered with ENOTSUP at once.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $result i32) (result i32)
    (local $left i32) (local $wait i64) (local $sleep i64)
    (if (i32.gt_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 1023)) (then (return (i32.const 28))))
    (if (i32.eqz (i32.and
          (i32.and
            (call $inside (local.get $in) (i32.mul (local.get $count) (i32.const 48)))
            (call $inside (local.get $out) (i32.shl (local.get $count) (i32.const 5))))
          (call $inside (local.get $result) (i32.const 4))))
      (then (return (i32.const 21))))
    (i32.store $g (local.get $result) (local.get $count))
    (local.set $left (local.get $count))
    (local.set $sleep (i64.const -1))
    (loop $next
      (i64.store $g (local.get $out) (i64.load $g (local.get $in)))
      (i64.store $g offset=8 (local.get $out) (i64.const 0))
      (i64.store $g offset=16 (local.get $out) (i64.const 0))
      (i64.store $g offset=24 (local.get $out) (i64.const 0))
      (i32.store8 $g offset=10 (local.get $out) (i32.load8_u $g offset=8 (local.get $in)))
      (if (i32.load8_u $g offset=8 (local.get $in))
        (then (i32.store16 $g offset=8 (local.get $out) (i32.const 58)))
        (else
          (local.set $wait (i64.load $g offset=24 (local.get $in)))
          (if (i32.and (i32.load8_u $g offset=40 (local.get $in)) (i32.const 1))
            (then
              (local.set $wait
                (i64.sub (local.get $wait) (select (global.get $clock) (global.get $now) (i32.load $g offset=16 (local.get $in)))))
              (if (i64.lt_s (local.get $wait) (i64.const 0)) (then (local.set $wait (i64.const 0))))))
          (if (i64.lt_u (local.get $wait) (local.get $sleep)) (then (local.set $sleep (local.get $wait))))))
      (local.set $in (i32.add (local.get $in) (i32.const 48)))
      (local.set $out (i32.add (local.get $out) (i32.const 32)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (if (i64.ne (local.get $sleep) (i64.const -1))
      (then (global.set $clock (i64.add (global.get $clock) (local.get $sleep)))))
    (i32.const 0))

  (func (export "proc_exit") (param $code i32) (call $stop (i32.const 2) (local.get $code)))
  (func (export "proc_raise") (param $signal i32) (result i32)
    (call $stop (i32.const 2) (i32.add (i32.const 128) (local.get $signal)))
    (unreachable))

  ;; Files and sockets: ENOSYS, whatever they ask.
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 52))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 52))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 52))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 52))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 52))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 52))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 52))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 52)))
