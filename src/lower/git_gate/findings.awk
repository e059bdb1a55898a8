# Says what a scanner's report holds and where it lies, by the map that `stream.awk` wrote; never what was found, and no
# path that something was found in.

function field(text) {
    sub(/^[^:]*: *"?/, "", text)
    sub(/"?,? *$/, "", text)
    return text
}

# The last entry of the map that begins at or before a line; 0 when none does.
function entry(line,    low, high, middle) {
    low = 0
    high = entries
    while (low < high) {
        middle = int((low + high + 1) / 2)
        if (start[middle] <= line) low = middle
        else high = middle - 1
    }
    return low
}

BEGIN {
    while ((getline line < map) > 0) {
        split(line, part, "\t")
        entries++
        start[entries] = part[1] + 0
        first[entries] = part[2] + 0
        commit[entries] = part[3]
        kind[entries] = part[4]
        path[entries] = part[5]
    }
}

# One key a line, as both scanners write it: betterleaks 2.0.0-rc.4 with small letters, gitleaks 8.30.1 with capitals.
/^ *"(RuleID|rule_id)": "/ {
    rule = field($0)
    gsub(/[^A-Za-z0-9._-]/, "?", rule)
}

/^ *"(StartLine|start_line)": [0-9]/ {
    findings++
    rules[findings] = rule
    begins[findings] = field($0) + 0
    at = entry(begins[findings])
    if (kind[at] == "path") secret[path[at]] = 1
}

# What begins before a path may reach into it.
/^ *"(EndLine|end_line)": [0-9]/ {
    line = field($0) + 0
    for (at = entry(begins[findings]) + 1; at <= entries && start[at] <= line; at++)
        if (kind[at] == "path") secret[path[at]] = 1
}

END {
    for (finding = 1; finding <= findings; finding++) {
        at = entry(begins[finding])
        if (at == 0) {
            place = "a place unknown"
        } else if (kind[at] == "path") {
            place = "a path"
        } else {
            place = (path[at] in secret) ? "a path that is not said" : path[at]
            if (first[at] > 0) place = place ":" (first[at] + begins[finding] - start[at])
        }
        if (commit[at] != "") place = place " in commit " substr(commit[at], 1, 12)
        said = "git-gate:   " rules[finding] " at " place
        if (!(said in seen)) {
            seen[said] = 1
            total++
            if (total <= 20) print said
        }
    }
    if (total > 20) print "git-gate:   and " (total - 20) " more"
}
