# Says what a scanner's report holds and where it lies, by the map that `stream.awk` wrote; never what was found.

function field(text) {
    sub(/^[^:]*: *"?/, "", text)
    sub(/"?,? *$/, "", text)
    return text
}

BEGIN {
    while ((getline line < map) > 0) {
        split(line, part, "\t")
        entries++
        start[entries] = part[1] + 0
        first[entries] = part[2] + 0
        commit[entries] = part[3]
        path[entries] = part[4]
    }
}

# One key a line, as both scanners write it.
/^ *"(RuleID|rule_id)": "/ {
    rule = field($0)
    gsub(/[^A-Za-z0-9._-]/, "?", rule)
}

/^ *"(StartLine|start_line)": [0-9]/ {
    line = field($0) + 0
    place = "a place unknown"
    for (at = entries; at > 0; at--) {
        if (start[at] <= line) {
            place = path[at]
            if (first[at] > 0) place = place ":" (first[at] + line - start[at])
            if (commit[at] != "") place = place " in commit " substr(commit[at], 1, 12)
            break
        }
    }
    said = "git-gate:   " rule " at " place
    if (!(said in seen)) {
        seen[said] = 1
        total++
        if (total <= 20) print said
    }
}

END { if (total > 20) print "git-gate:   and " (total - 20) " more" }
