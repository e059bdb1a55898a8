# Makes the text that is scanned of what `pre-receive` puts together, and writes into `map` what lies where: number of
# the line in that text, number of the line in the file, commit, what it is, path. A path itself is of the kind
# `path`: what is found there must not be said with it. A line of the file of 0 is none in particular.
#
# A line of content begins with a plus and a line that is taken away with a minus; everything else is git's own.
#
# A scanner does not see the text whole. gitleaks 8.30.1 and betterleaks 2.0.0-rc.4 read on to the next blank line, for
# 25000 bytes at most, and what lies across such an end they miss. So no blank line is left but our own: one ends each
# window of the text, and the next window begins with the end of the one before. A secret of up to `overlap` bytes lies
# whole in one of them, be it on one line or on many.

# What the lines that follow are of. They have no number of their own in the file unless `here` is set after it.
function of(kind) {
    origin = commit "\t" kind "\t" path
    here = 0
}

# Writes a line of a window.
function write(text, line, from) {
    print text
    number++
    used += length(text) + 1
    if (from != last_from || line != last_line + (line > 0)) printf "%d\t%d\t%s\n", number, line, from > map
    last_from = from
    last_line = line
}

# Writes a line, and keeps it for the next window as long as it is among its last `overlap` bytes.
function keep(text, line, from) {
    write(text, line, from)
    tail++
    kept[tail] = text
    kept_line[tail] = line
    kept_from[tail] = from
    held += length(text) + 1
    while (held - length(kept[head]) - 1 >= overlap) drop()
}

function drop() {
    held -= length(kept[head]) + 1
    delete kept[head]
    delete kept_line[head]
    delete kept_from[head]
    head++
}

# Ends the window.
function turn() {
    print ""
    number++
    used = 0
}

# Begins another window with the end of this one.
function overlapping(    at, excess) {
    turn()
    excess = held - overlap
    for (at = head; at <= tail; at++) {
        write(excess > 0 ? substr(kept[at], excess + 1) : kept[at], kept_line[at], kept_from[at])
        excess = 0
    }
}

# The place at or a little before `at` where `text` may be cut, in a piece that begins at `first`: what is encoded in
# base64 or hex goes by fours, and scanners decode it from where it begins, and only when no part of a four is missing.
function aligned(text, first, at,    part, size, run, step) {
    part = substr(text, first, at - first)
    size = length(part)
    # Some awks copy the whole of what `substr` is given: the longer the step, the fewer the copies.
    for (step = 256; step >= 1; step /= 16)
        while (run + step <= size && substr(part, size - run - step + 1, step) ~ /^[A-Za-z0-9+\/_-]*$/) run += step
    return at - run % 4
}

function put(text,    size, at, end) {
    # A line of nothing but these is a blank one.
    if (text ~ /^[ \t\r]*$/) return
    size = length(text)
    if (used + size >= window && used > 0) overlapping()
    at = 1
    while (used + size - at + 1 >= window) {
        end = aligned(text, at, at + window - used - 1)
        write(substr(text, at, end - at), here, origin)
        turn()
        at = aligned(text, at, end - overlap)
    }
    keep(at > 1 ? substr(text, at) : text, here, origin)
}

function line(text,    apart) {
    # Zero bytes come as \001: once they part words, and once they lie between the letters of UTF-16.
    if (index(text, "\001")) {
        apart = text
        gsub("\001", " ", apart)
        put(apart)
        gsub("\001", "", text)
    }
    put(text)
    if (here) here++
}

BEGIN {
    window = 24000
    overlap = 10000
    head = 1
    # gitleaks 8.30.1 takes its first piece of the input, of up to 125000 bytes, for a file's beginning: does it look
    # like an archive or a program there, nothing at all is scanned. So all of that piece is ours.
    for (number = 0; number < 2048; number++) printf "%63s\n", ""
}

/^\+/ {
    if (texts && $0 ~ /^\+[0-9a-f]+ commit [0-9]+$/) {
        commit = substr($1, 2)
        of("text")
    }
    line(substr($0, 2))
    next
}

# What is taken away, and what git says of a file's end.
/^[-\\]/ { next }

/^#/ {
    path = substr($0, 2)
    texts = path ~ /^the header/
    commit = ""
    of(texts ? "text" : "path")
    line(path)
    if (!texts) {
        of("content")
        here = 1
    }
    next
}

/^@@ / {
    split($3, at, ",")
    of("content")
    here = substr(at[1], 2) + 0
    next
}

/^diff --git / {
    # The same path twice: nothing is taken for a rename, and there is no prefix.
    path = substr($0, 12)
    path = substr(path, 1, (length(path) - 1) / 2)
    of("path")
    line(path)
    next
}

/^[0-9a-f]+$/ {
    commit = $0
    texts = 0
    next
}

{ line($0) }
