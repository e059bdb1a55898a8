# Makes the text that is scanned of what `pre-receive` puts together, and writes into `map` what lies where: number of
# the line in that text, number of the line in the file, commit, what it is, path. A path itself is of the kind
# `path`: what is found there must not be said with it.
#
# A line of content begins with a plus and a line that is taken away with a minus; everything else is git's own.

function emit(text,    apart) {
    # Zero bytes come as \001: once they part words, and once they lie between the letters of UTF-16.
    if (index(text, "\001")) {
        apart = text
        gsub("\001", " ", apart)
        print apart
        number++
        gsub("\001", "", text)
    }
    print text
    number++
}

function mark(line, kind) {
    printf "%d\t%d\t%s\t%s\t%s\n", number + 1, line, commit, kind, path > map
}

# gitleaks 8.30.1 takes its first piece of the input, of up to 125000 bytes, for a file's beginning: does it look like
# an archive or a program there, nothing at all is scanned. So all of that piece is ours.
BEGIN {
    for (number = 0; number < 2048; number++) printf "%63s\n", ""
}

/^\+/ {
    if (texts && $0 ~ /^\+[0-9a-f]+ commit [0-9]+$/) {
        commit = substr($1, 2)
        mark(0, "text")
    }
    emit(substr($0, 2))
    next
}

/^-/ { next }

/^#/ {
    path = substr($0, 2)
    texts = path ~ /^the header/
    commit = ""
    mark(0, texts ? "text" : "path")
    emit(path)
    if (!texts) mark(1, "content")
    next
}

/^@@ / {
    split($3, at, ",")
    mark(substr(at[1], 2) + 0, "content")
    next
}

/^diff --git / {
    # The same path twice: nothing is taken for a rename, and there is no prefix.
    path = substr($0, 12)
    path = substr(path, 1, (length(path) - 1) / 2)
    mark(0, "path")
    emit(path)
    next
}

/^[0-9a-f]+$/ {
    commit = $0
    texts = 0
    next
}

{ emit($0) }
