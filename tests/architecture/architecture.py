#!/usr/bin/env python3
"""Checks the structure of the source tree: layers, headers, calls, sizes.

usage: architecture.py [ROOT]     prints one line for each violation, with what to do; exits 1 if any
"""

import re
import sys
from pathlib import Path

import rules

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
MODULE = re.compile(r"swarm_module\(\s*(\w+)([^)]*)\)", re.S)
EXECUTABLE = re.compile(r"target_link_libraries\(\s*(swarmd|swarmctl)\s+([^)]*)\)", re.S)
KEYWORDS = {"PATH", "SOURCES", "DEPENDS", "LIBRARIES", "PRIVATE_LIBRARIES", "APART"}


class Module:
    def __init__(self, name, path, depends):
        self.name, self.path, self.depends = name, path, depends


def read_modules(root):
    """All modules of the CMake files, by name."""
    modules = {}
    for cmake in sorted((root / "src").rglob("CMakeLists.txt")):
        for name, body in MODULE.findall(cmake.read_text()):
            words = {key: [] for key in KEYWORDS}
            key = None
            for word in body.split():
                if word in KEYWORDS:
                    key = word
                elif key:
                    words[key].append(word)
            path = words["PATH"][0] if words["PATH"] else name
            modules[name] = Module(name, path, words["DEPENDS"])
    return modules


def layer_of(name):
    for number, names in enumerate(rules.LAYERS):
        if name in names:
            return number
    return None


def check_layers(modules):
    for module in modules.values():
        own = layer_of(module.name)
        if own is None:
            yield f"{module.name}: no layer in tests/architecture/rules.py: add it there"
            continue
        for dependency in module.depends:
            if dependency in rules.CONTRACTS:
                continue
            below = layer_of(dependency)
            if below is None:
                yield f"{module.name}: depends on {dependency}, which is no module"
            elif below > own or (
                below == own and (module.name, dependency) not in rules.EDGES_WITHIN_A_LAYER
            ):
                yield (f"{module.name}: may not depend on {dependency} (layer {below}, its own is "
                       f"{own}): deciders meet in the store, adapters point down")


def check_cycles(modules):
    done, path = set(), []

    def visit(name):
        if name in path:
            yield "cycle: " + " -> ".join(path[path.index(name):] + [name])
            return
        if name in done or name not in modules:
            return
        path.append(name)
        for dependency in modules[name].depends:
            yield from visit(dependency)
        path.pop()
        done.add(name)

    for name in sorted(modules):
        yield from visit(name)


def reach(modules, name):
    """A module and everything it may include."""
    seen, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current not in seen and current in modules:
            seen.add(current)
            todo += modules[current].depends
    return seen


def module_of(modules, relative):
    """The module whose folder holds the file; the deepest wins."""
    found = None
    for module in modules.values():
        if relative.is_relative_to(module.path):
            if found is None or len(module.path) > len(found.path):
                found = module
    return found


def strip_comments(text):
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def line_at(text, position):
    return text.count("\n", 0, position) + 1


def check_includes(root, modules, file, module, text):
    relative = file.relative_to(root)
    within = reach(modules, module.name)
    allowed = {modules[name].path for name in within}
    for name in within:
        for dependency in modules[name].depends:
            allowed |= rules.CONTRACTS.get(dependency, set())
    folders = {m.path for m in modules.values()}
    for match in INCLUDE.finditer(text):
        kind, header = match.groups()
        where = f"{relative}:{line_at(text, match.start())}"
        folder = str(Path(header).parent)
        if kind == '"' and folder in folders and folder not in allowed:
            yield f"{where}: {module.name} may not include {header}: it does not depend on {folder}"
        for prefix, names in rules.THIRD_PARTY.items():
            if header.startswith(prefix):
                if module.name not in names:
                    yield f"{where}: {module.name} may not include <{header}>: only " + \
                        ", ".join(sorted(names))
                break
        if kind == "<" and any(header == name or (name.endswith("/") and header.startswith(name))
                               for name in rules.SYSTEM_HEADERS):
            is_platform = module.name == "platform" and re.search(r"_(posix|windows)\.cpp$", file.name)
            if not is_platform:
                yield f"{where}: <{header}> belongs in src/platform/*_posix.cpp"


def check_calls(root, file, module, code):
    for pattern, reason, names in rules.BANNED_CALLS:
        if module.name in names:
            continue
        for match in re.finditer(pattern, code):
            yield (f"{file.relative_to(root)}:{line_at(code, match.start())}: "
                   f"'{match.group().strip()}': {reason}")


def check_awaits(root, file, code):
    """g++ 12 miscompiles a co_await beside braces, lambdas or a switch: name the argument first."""
    for match in re.finditer(r"[^;{}]*\bco_await\b[^;]*;", code):
        statement = match.group()
        awaited = statement[statement.index("co_await"):]
        is_bad = re.search(r"[\w>]\s*\{[^}]*\}", awaited) or re.search(r"\[[^\]]*\]\s*[({]", awaited) \
            or re.search(r"\bswitch\s*\(", statement) or statement.count("co_await") > 1
        if is_bad:
            line = line_at(code, match.start() + statement.index("co_await"))
            yield f"{file.relative_to(root)}:{line}: name the argument, then co_await it"


def check_sizes(root, file, text):
    relative = file.relative_to(root)
    lines = text.splitlines()
    if len(lines) > rules.MAX_FILE_LINES:
        yield f"{relative}: {len(lines)} lines; at most {rules.MAX_FILE_LINES}: look for the seam"
    start = None
    for number, line in enumerate(lines, 1):
        if len(line) > rules.MAX_COLUMNS:
            yield f"{relative}:{number}: {len(line)} columns; at most {rules.MAX_COLUMNS}"
        is_start = line and line[0] not in " \t}#/" and not line.startswith("namespace") \
            and line.rstrip()[-1] in "({,"
        if is_start and start is None:
            start = number
        if line.startswith("}"):
            head = lines[start - 1] if start else ""
            is_type = re.match(r"(template|class|struct|enum|union|using|constexpr|TEST|INSTANT)", head)
            if start and not is_type and number - start + 1 > rules.MAX_FUNCTION_LINES:
                yield (f"{relative}:{start}: function of {number - start + 1} lines; at most "
                       f"{rules.MAX_FUNCTION_LINES}")
            start = None
        elif line and line[0] not in " \t" and line.rstrip().endswith(";"):
            start = None


def check_header(root, file, text):
    if file.suffix == ".h" and "#pragma once" not in text.split("\n\n", 1)[0]:
        yield f"{file.relative_to(root)}: a header starts with #pragma once"


def check_protos(root):
    for proto in sorted((root / "proto").glob("*.proto")):
        code = strip_comments(proto.read_text())
        services = re.findall(r"^service\s+\w+\s*\{(.*?)^\}", code, re.S | re.M)
        if len(services) > 1:
            yield f"{proto.relative_to(root)}: one service a file"
        for body in services:
            methods = len(re.findall(r"\brpc\b", body))
            if methods > rules.MAX_SERVICE_METHODS:
                yield f"{proto.relative_to(root)}: {methods} methods; at most {rules.MAX_SERVICE_METHODS}"
        for word in rules.WINDOWS_MACROS:
            if re.search(rf"\b(rpc|message|enum)\s+{word}\b|^\s*{word}\s*=", code, re.M):
                yield f"{proto.relative_to(root)}: '{word}' is a macro of windows.h: choose another name"


def check(root):
    modules = read_modules(root)
    yield from check_layers(modules)
    yield from check_cycles(modules)
    yield from check_protos(root)
    for file in sorted((root / "src").rglob("*")):
        if file.suffix not in (".h", ".cpp"):
            continue
        module = module_of(modules, file.relative_to(root / "src"))
        if module is None:
            yield f"{file.relative_to(root)}: belongs to no module"
            continue
        text = file.read_text()
        code = strip_comments(text)
        yield from check_includes(root, modules, file, module, text)
        yield from check_calls(root, file, module, code)
        yield from check_awaits(root, file, code)
        yield from check_sizes(root, file, text)
        yield from check_header(root, file, text)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    violations = list(check(root))
    for violation in violations:
        print(violation)
    print(f"architecture: {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
