-- A person's session in a headless Neovim: a broken spec is opened, mended by a code action, renamed, laid out, saved.
--
--     BOTTLEC=… nvim --headless --clean --cmd 'set rtp+=editors/nvim' -c 'luafile tests/editors/nvim.lua'
--
-- in a directory of its own with a repository in it. Prints a line for each verdict.

local PATIENCE = 15000
local failed = false

local function check(what, holds, detail)
    failed = failed or not holds
    io.stdout:write((holds and "ok: " or "FAILED: ") .. what .. "\n")
    if not holds then
        io.stdout:write("    " .. vim.inspect(detail) .. "\n")
    end
end

local function read(name)
    return table.concat(vim.fn.readfile(name), "\n") .. "\n"
end

local function write(name, text)
    vim.fn.writefile(vim.split((text:gsub("\n$", "")), "\n", { plain = true }), name)
end

local function text(buffer)
    return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), "\n") .. "\n"
end

--- The rules that are shown of a buffer, with where they begin and end.
local function shown(buffer)
    local found = {}
    for _, it in ipairs(vim.diagnostic.get(buffer)) do
        local code = it.code or (it.user_data and it.user_data.lsp and it.user_data.lsp.code)
        table.insert(found, ("%s %d:%d-%d:%d"):format(code, it.lnum, it.col, it.end_lnum, it.end_col))
    end
    table.sort(found)
    return table.concat(found, ", ")
end

local function until_shown(what, buffer, wanted)
    vim.wait(PATIENCE, function()
        return shown(buffer) == wanted
    end, 10)
    check(what, shown(buffer) == wanted, { wanted = wanted, shown = shown(buffer) })
end

local function until_text(what, buffer, wanted)
    vim.wait(PATIENCE, function()
        return text(buffer) == wanted
    end, 10)
    check(what, text(buffer) == wanted, text(buffer))
end

--- Puts the cursor on a piece of the text.
local function go_to(piece, skip)
    for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
        local column = line:find(piece, 1, true)
        if column then
            vim.api.nvim_win_set_cursor(0, { number, column - 1 + (skip or 0) })
            return
        end
    end
    error("there is no " .. piece)
end

local function client()
    for _, it in ipairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
        if it.name == "bottlec" then
            return it
        end
    end
end

local function here()
    if vim.fn.has("nvim-0.11") == 1 then
        return vim.lsp.util.make_position_params(0, client().offset_encoding)
    end
    return vim.lsp.util.make_position_params()
end

--- Asks the server. Returns its answer.
local function ask(method, params)
    local answers = vim.lsp.buf_request_sync(0, method, params or here(), PATIENCE) or {}
    for _, answer in pairs(answers) do
        return answer.result
    end
end

local TEAM = 'profile "team" {\n    egress {\n        allow "api.example.com"\n    }\n}\n'
local MAIN = [[
include "team.kdl"

// für alle 🙂
bottle "api" {
    extends "team"
    engine "smolvm" version="1.33.0"
    artifact "./agent.smolmachine"
    env {
        GREETING "grüß dich 🙂"
    }
}
]]

local function session()
    require("bottlec").setup({ cmd = { vim.env.BOTTLEC, "lsp" } })
    local broken = MAIN:gsub("engine ", "engin ")
    write("team.kdl", TEAM)
    write("main.kdl", broken)
    write("layout.kdl", 'layout {\n    pane command="htop"\n}\n')

    -- Diagnostics
    vim.cmd("edit main.kdl")
    local main = vim.api.nvim_get_current_buf()
    check("a spec is KDL", vim.bo.filetype == "kdl", vim.bo.filetype)
    until_shown("a mistake is shown where it is", main, "unknown-node 5:4-5:9")
    local folder = vim.loop.fs_realpath(client().config.root_dir)
    check("the folder is the repository", folder == vim.loop.fs_realpath("."), folder)
    local found = vim.diagnostic.get(main)[1]
    check("it says what is wrong", found.message:find("unknown node `engin` in `bottle`", 1, true) == 1, found.message)
    check("it says how bad it is", found.severity == vim.diagnostic.severity.ERROR, found.severity)

    -- The page of its rule
    go_to("engin ")
    vim.cmd("BottlecExplain")
    vim.wait(PATIENCE, function()
        return vim.api.nvim_buf_get_name(0):find("rules/unknown-node", 1, true) ~= nil
    end, 10)
    check("its rule is explained", text():find("# unknown-node", 1, true) == 1, text())
    check("the page is Markdown", vim.bo.filetype == "markdown", vim.bo.filetype)
    vim.cmd("only | buffer " .. main)

    -- A code action
    go_to("engin ")
    if vim.fn.has("nvim-0.8") == 1 then
        local function is_fix(action)
            return action.title:find("write `engine`", 1, true) == 1
        end
        vim.lsp.buf.code_action({ apply = true, filter = is_fix })
    else
        local params = vim.lsp.util.make_range_params()
        params.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics() }
        for _, action in ipairs(ask("textDocument/codeAction", params) or {}) do
            if action.title:find("write `engine`", 1, true) == 1 then
                vim.lsp.util.apply_workspace_edit(action.edit, client().offset_encoding)
            end
        end
    end
    until_text("the fix is made", main, MAIN)
    until_shown("the mistake is gone", main, "")
    vim.cmd("write")
    check("what is saved is mended", read("main.kdl") == MAIN, read("main.kdl"))

    -- Typing, behind letters of several bytes
    go_to("dich 🙂")
    vim.cmd("normal! A x=1")
    -- Neovim counts in bytes, whatever was agreed on.
    until_shown("what is typed is looked at", main, "unknown-property 8:36-8:37")
    vim.cmd([[substitute/ x=1$//]])
    until_shown("what is deleted is, too", main, "")

    -- What stands where
    go_to("artifact", 2)
    local hover = ask("textDocument/hover")
    check("hover knows a node", hover and vim.inspect(hover.contents):find("packed machine", 1, true) ~= nil, hover)
    go_to('"team"', 2)
    go_to('extends "team"', 10)
    local place = ask("textDocument/definition")
    place = place and (place[1] or place)
    local uri = place and (place.targetUri or place.uri) or ""
    check("a name leads to another file", uri:find("team.kdl$") ~= nil, place)
    go_to("    artifact", 0)
    local items = ask("textDocument/completion")
    local labels = {}
    for _, item in ipairs(items and (items.items or items) or {}) do
        labels[item.label] = true
    end
    check("completion knows nodes", labels.network and labels.supervise, labels)

    -- A rename over two files
    go_to('extends "team"', 10)
    vim.lsp.buf.rename("crew")
    until_text("a rename changes this file", main, (MAIN:gsub('extends "team"', 'extends "crew"')))
    local team = vim.fn.bufnr("team.kdl")
    vim.wait(PATIENCE, function()
        team = vim.fn.bufnr("team.kdl")
        return team ~= -1
    end, 10)
    check("and the other one", team ~= -1 and text(team) == (TEAM:gsub('"team"', '"crew"')), team ~= -1 and text(team))
    until_shown("a rename leaves nothing broken", main, "")
    vim.cmd("wall")

    -- Layout
    local laid_out = text(main)
    vim.api.nvim_buf_set_lines(main, 4, 5, false, { '  extends   "crew"' })
    if vim.lsp.buf.format then
        vim.lsp.buf.format({ async = false, timeout_ms = PATIENCE })
    else
        vim.lsp.buf.formatting_sync(nil, PATIENCE)
    end
    until_text("the file is laid out", main, laid_out)
    vim.cmd("write")

    -- What it compiles to
    go_to("artifact", 2)
    vim.cmd("BottlecArtifacts agent.env")
    local view
    vim.wait(PATIENCE, function()
        view = vim.fn.bufnr("bottlec://api/agent.env")
        return view ~= -1
    end, 10)
    check("what the bottle compiles to is shown", view ~= -1 and text(view):find("grüß dich", 1, true) ~= nil, view ~= -1 and text(view))
    vim.cmd(vim.fn.bufwinnr(main) .. "wincmd w")
    vim.api.nvim_buf_set_lines(main, 0, 0, false, { "// more", "// lines" })
    vim.cmd("silent! %s/grüß dich/hallo/")
    vim.cmd("doautocmd TextChanged")
    vim.wait(PATIENCE, function()
        return view ~= -1 and text(view):find("hallo", 1, true) ~= nil
    end, 10)
    check("and follows the edits", view ~= -1 and text(view):find("hallo", 1, true) ~= nil, view ~= -1 and text(view))
    vim.cmd("only! | buffer! " .. main .. " | edit!")

    -- Other files
    vim.cmd("edit layout.kdl")
    local layout = vim.api.nvim_get_current_buf()
    vim.cmd("edit second.bottle.kdl")
    vim.api.nvim_buf_set_lines(0, 0, -1, false, { "nothing of ours" })
    until_shown("a file of a spec's name is a spec", vim.api.nvim_get_current_buf(), "unknown-node 0:0-0:7")
    until_shown("other people's KDL is left alone", layout, "")

    -- The end
    local id = client().id
    vim.lsp.stop_client(id)
    vim.wait(PATIENCE, function()
        return vim.lsp.client_is_stopped(id)
    end, 10)
    check("the server ends when it is told to", vim.lsp.client_is_stopped(id))
end

local well, problem = xpcall(session, debug.traceback)
check("the session went through", well, problem)
vim.cmd(failed and "cquit! 1" or "qall!")
