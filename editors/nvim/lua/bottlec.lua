--- The client of `bottlec lsp` for Neovim, from 0.7 on.
---
---     require("bottlec").setup()
---
--- starts the server in each KDL buffer; it says nothing of files that are no specs. There are two commands besides what
--- Neovim does with any server: `:BottlecExplain [rule]` shows the page of a rule, of the one at the cursor without a
--- name, and `:BottlecArtifacts [file]` shows what the bottle at the cursor compiles to and follows your edits.

local M = {}

--- What may be given to `setup`.
M.options = {
    --- The program and its arguments.
    cmd = { "bottlec", "lsp" },
    --- Is called with the client and the buffer, as `on_attach` of any server is.
    on_attach = nil,
    --- What Neovim can do, when a plugin adds to it.
    capabilities = nil,
}

local FILETYPES = { "kdl", "bottlec" }

--- The folder that includes may not lead out of: the repository, or else the directory of the file.
local function root_of(buffer)
    local name = vim.api.nvim_buf_get_name(buffer)
    local directory = name == "" and vim.fn.getcwd() or vim.fn.fnamemodify(name, ":p:h")
    local marker = vim.fn.finddir(".git", vim.fn.escape(directory, " ,;*") .. ";")
    -- A worktree's is a file.
    if marker == "" then
        marker = vim.fn.findfile(".git", vim.fn.escape(directory, " ,;*") .. ";")
    end
    return marker == "" and directory or vim.fn.fnamemodify(marker, ":p:h"):gsub("[/\\]%.git$", "")
end

--- Specs by their names are specs; of other KDL the server finds out.
local function language_of(buffer, filetype)
    local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ":t")
    return (name == "bottle.kdl" or name:match("%.bottle%.kdl$")) and "bottlec" or filetype
end

local function config()
    return {
        name = "bottlec",
        cmd = M.options.cmd,
        filetypes = FILETYPES,
        get_language_id = language_of,
        on_attach = M.options.on_attach,
        capabilities = M.options.capabilities,
    }
end

--- The clients of 0.7, by their folders: later Neovims keep such a list themselves.
local started = {}

local function start(buffer)
    local root = root_of(buffer)
    local settings = config()
    settings.root_dir = root
    settings.workspace_folders = { { uri = vim.uri_from_fname(root), name = root } }
    if vim.lsp.start then
        vim.lsp.start(settings, { bufnr = buffer })
        return
    end
    local client = started[root]
    if not client or vim.lsp.client_is_stopped(client) then
        client = vim.lsp.start_client(settings)
        started[root] = client
    end
    if client then
        vim.lsp.buf_attach_client(buffer, client)
    end
end

--- The server of a buffer.
local function client_of(buffer)
    local clients = (vim.lsp.get_clients or vim.lsp.get_active_clients)()
    for _, client in ipairs(clients) do
        if client.name == "bottlec" and vim.lsp.buf_is_attached(buffer, client.id) then
            return client
        end
    end
end

--- Has the server carry out a command. `done` gets what came out of it.
local function ask(buffer, command, arguments, done)
    local client = client_of(buffer)
    if not client then
        vim.notify("bottlec: the language server does not run here", vim.log.levels.ERROR)
        return
    end
    local params = { command = command, arguments = arguments }
    local function answer(error, result)
        done(error and (error.message or tostring(error)), result)
    end
    if vim.fn.has("nvim-0.11") == 1 then
        client:request("workspace/executeCommand", params, answer, buffer)
    else
        client.request("workspace/executeCommand", params, answer, buffer)
    end
end

--- Shows a text in a buffer of its own, by its name, that nobody edits. Returns the buffer.
local function show(name, filetype, text, open)
    local buffer = vim.fn.bufnr("^" .. vim.fn.escape(name, "[]*?{}\\,^$") .. "$")
    if buffer == -1 then
        buffer = vim.api.nvim_create_buf(false, true)
        vim.api.nvim_buf_set_name(buffer, name)
        vim.api.nvim_buf_set_option(buffer, "buftype", "nofile")
        vim.api.nvim_buf_set_option(buffer, "swapfile", false)
    end
    vim.api.nvim_buf_set_option(buffer, "modifiable", true)
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split((text:gsub("\n$", "")), "\n", { plain = true }))
    vim.api.nvim_buf_set_option(buffer, "modifiable", false)
    if vim.api.nvim_buf_get_option(buffer, "filetype") ~= filetype then
        vim.api.nvim_buf_set_option(buffer, "filetype", filetype)
    end
    if open and vim.fn.bufwinid(buffer) == -1 then
        vim.cmd(open .. " sbuffer " .. buffer)
    end
    return buffer
end

--- Shows the page of a rule: of the one that is named, or of the one at the cursor.
function M.explain(rule)
    if not rule or rule == "" then
        local line = vim.api.nvim_win_get_cursor(0)[1] - 1
        for _, found in ipairs(vim.diagnostic.get(0, { lnum = line })) do
            if found.source == "bottlec" then
                rule = found.code or vim.tbl_get(found, "user_data", "lsp", "code")
            end
        end
    end
    if not rule or rule == "" then
        vim.notify("bottlec: there is no rule at the cursor: name one", vim.log.levels.WARN)
        return
    end
    ask(vim.api.nvim_get_current_buf(), "bottlec.explain", { rule }, function(problem, found)
        if problem then
            vim.notify("bottlec: " .. problem, vim.log.levels.ERROR)
            return
        end
        show("bottlec://rules/" .. rule, "markdown", type(found) == "table" and found.text or found, "")
    end)
end

--- Shows a file of the stage of the bottle at the cursor, and keeps it up to date.
function M.artifacts(file)
    local spec = vim.api.nvim_get_current_buf()
    file = file and file ~= "" and file or "smolfile.toml"
    local mark = vim.api.nvim_create_namespace("bottlec")
    local cursor = vim.api.nvim_win_get_cursor(0)
    -- It moves with what is edited above it.
    local place = vim.api.nvim_buf_set_extmark(spec, mark, cursor[1] - 1, 0, {})
    local shown

    local function refresh(open)
        local at = vim.api.nvim_buf_get_extmark_by_id(spec, mark, place, {})
        local arguments = { vim.uri_from_bufnr(spec), { line = at[1] or 0, character = 0 }, file }
        ask(spec, "bottlec.artifacts", arguments, function(problem, found)
            if problem and open then
                vim.notify("bottlec: " .. problem, vim.log.levels.ERROR)
            elseif problem then
                show(shown.name, shown.filetype, problem, nil)
            else
                local it = found.files[1]
                shown = { name = "bottlec://" .. found.bottle .. "/" .. it.name, filetype = it.language }
                -- VS Code's name for it.
                shown.filetype = shown.filetype == "shellscript" and "sh" or shown.filetype
                shown.buffer = show(shown.name, shown.filetype, it.text, open and "vertical" or nil)
            end
        end)
    end

    refresh(true)
    vim.api.nvim_create_autocmd({ "TextChanged", "InsertLeave", "BufWritePost" }, {
        buffer = spec,
        desc = "shows anew what a bottle compiles to",
        callback = function()
            -- Whoever closed the view wants no more of it.
            if shown and not vim.api.nvim_buf_is_loaded(shown.buffer) then
                return true
            end
            if shown then
                refresh(false)
            end
        end,
    })
end

function M.setup(options)
    M.options = vim.tbl_extend("force", M.options, options or {})
    local group = vim.api.nvim_create_augroup("bottlec", { clear = true })
    -- Neovims before 0.8 know no KDL.
    vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, { group = group, pattern = "*.kdl", command = "setfiletype kdl" })
    vim.api.nvim_create_autocmd("FileType", {
        group = group,
        pattern = FILETYPES,
        callback = function(event)
            vim.api.nvim_buf_set_option(event.buf, "commentstring", "// %s")
        end,
    })
    if vim.lsp.config and vim.lsp.enable then
        local settings = config()
        settings.root_dir = function(buffer, found)
            found(root_of(buffer))
        end
        vim.lsp.config("bottlec", settings)
        vim.lsp.enable("bottlec")
    else
        vim.api.nvim_create_autocmd("FileType", {
            group = group,
            pattern = FILETYPES,
            callback = function(event)
                start(event.buf)
            end,
        })
    end
    local command = vim.api.nvim_create_user_command
    command("BottlecExplain", function(call)
        M.explain(call.args)
    end, { nargs = "?", desc = "Show the page of a rule" })
    command("BottlecArtifacts", function(call)
        M.artifacts(call.args)
    end, { nargs = "?", desc = "Show what the bottle at the cursor compiles to" })
end

return M
