# Makes the text that is scanned of what `pre-receive` puts together, and writes into `map` what lies where: number of
# the line in that text, number of the line in the file, commit, path.
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

function mark(line, name) {
    printf "%d\t%d\t%s\t%s\n", number + 1, line, commit, name > map
}

/^\+/ {
    if (texts && $0 ~ /^\+[0-9a-f]+ commit [0-9]+$/) {
        commit = substr($1, 2)
        mark(0, path)
    }
    emit(substr($0, 2))
    next
}

/^-/ { next }

/^#/ {
    path = substr($0, 2)
    texts = path ~ /^the header/
    commit = ""
    # What is found in a path must not be said with the path.
    mark(0, texts ? path : "a path")
    emit(path)
    if (!texts) mark(1, path)
    next
}

/^@@ / {
    split($3, at, ",")
    mark(substr(at[1], 2) + 0, path)
    next
}

/^diff --git / {
    # The same path twice: nothing is taken for a rename, and there is no prefix.
    path = substr($0, 12)
    path = substr(path, 1, (length(path) - 1) / 2)
    mark(0, "a path")
    emit(path)
    next
}

/^[0-9a-f]+$/ {
    commit = $0
    texts = 0
    next
}

{ emit($0) }
