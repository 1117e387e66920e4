"""Emits statements: one method, ``run_`` and its name, for each node type."""

import ast

from neuralens_build.compiler.calls import Calls
from neuralens_build.compiler.code import Code, Part
from neuralens_build.compiler.expressions import guarded
from neuralens_build.compiler.language import ARITHMETIC, ASSIGNMENT, EXCEPTIONS, RAISED
from neuralens_build.compiler.records import is_none
from neuralens_build.compiler.scopes import Scope, spell

INDENT = "  "


class Statements(Calls):
    """Emits the statements of one module."""

    def block(self, body: list[ast.stmt]) -> Code:
        """Return statements in braces."""
        self.depth += 1
        margin = INDENT * self.depth
        lines: list[Part] = []
        for statement in body:
            lines += self.lines(statement, margin)
        self.depth -= 1
        return Code(("{\n", *lines, INDENT * self.depth + "}"))

    def lines(self, node: ast.stmt, margin: str) -> list[Part]:
        """Return the lines of a statement; none if it has no JavaScript."""
        method = getattr(self, f"run_{type(node).__name__}", None)
        if method is None:
            raise self.refuse_syntax(node)
        written: Code | None = method(node)
        return [] if written is None else [margin, written, "\n"]

    def run_Pass(self, node: ast.Pass) -> Code | None:
        """Write nothing."""

    run_Global = run_Nonlocal = run_Pass

    def run_Break(self, node: ast.Break) -> Code:
        """Write break."""
        return self.code(node, "break;")

    def run_Continue(self, node: ast.Continue) -> Code:
        """Write continue."""
        return self.code(node, "continue;")

    def run_Expr(self, node: ast.Expr) -> Code | None:
        """Write an expression statement; a string literal is dropped as a comment."""
        if isinstance(node.value, ast.Constant):
            return None
        self.unused = node.value
        return self.code(node, *guarded(self.write(node.value)), ";")

    def run_Return(self, node: ast.Return) -> Code:
        """Write return, without the value if it is None."""
        if node.value is None or is_none(node.value):
            return self.code(node, "return;")
        return self.code(node, "return ", self.write(node.value), ";")

    def single_target(self, node: ast.Assign) -> str:
        """Return the name that an assignment assigns, "" for an item or attribute."""
        target = node.targets[0]
        if len(node.targets) > 1 or isinstance(target, ast.Tuple | ast.List | ast.Starred):
            raise self.refuse(node, "one target is assigned at a time", "one assignment for each")
        return target.id if isinstance(target, ast.Name) else ""

    def run_Assign(self, node: ast.Assign) -> Code:
        """Write an assignment, to a new variable together with its declaration."""
        name = self.single_target(node)
        value = self.write(node.value, ASSIGNMENT)
        target = node.targets[0]
        places = [target.value] if isinstance(target, ast.Subscript | ast.Attribute) else []
        places += [target.slice] if isinstance(target, ast.Subscript) else []
        for place in places:
            self.refuse_order(node, node.value, place)
        return self.code(node, self.declare(name), self.write(node.targets[0]), " = ", value, ";")

    def run_AnnAssign(self, node: ast.AnnAssign) -> Code | None:
        """Write an assignment without its annotation."""
        if node.value is None:
            return None
        return self.run_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def run_AugAssign(self, node: ast.AugAssign) -> Code:
        """Write an augmented assignment."""
        operator = ARITHMETIC.get(type(node.op))
        if operator is None or isinstance(node.op, ast.Pow | ast.Mod):
            raise self.refuse(
                node, "the only augmented assignments are `+= -= *= /=`", "`x = x // y`"
            )
        target = self.write(node.target)
        value = self.write(node.value, ASSIGNMENT)
        return self.code(node, target, operator.text.rstrip() + "= ", value, ";")

    def run_If(self, node: ast.If) -> Code:
        """Write if, elif and else."""
        parts: list[Part] = ["if (", self.condition(node.test), ") ", self.block(node.body)]
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            parts += [" else ", self.run_If(node.orelse[0])]
        elif node.orelse:
            parts += [" else ", self.block(node.orelse)]
        return self.code(node, *parts)

    def refuse_else(self, node: ast.While | ast.For) -> None:
        """Refuse the ``else`` of a loop."""
        if node.orelse:
            raise self.refuse(node.orelse[0], "a loop has no else", "a function, or a flag")

    def run_While(self, node: ast.While) -> Code:
        """Write while."""
        self.refuse_else(node)
        return self.code(node, "while (", self.condition(node.test), ") ", self.block(node.body))

    def run_For(self, node: ast.For) -> Code:
        """Write a loop over a list or a string."""
        self.refuse_else(node)
        if not isinstance(node.target, ast.Name):
            raise self.refuse(
                node.target,
                "a loop has one variable",
                "a loop over `list(d.keys())`, or over pairs by `pair[0]`",
            )
        items = self.write(node.iter, ASSIGNMENT)
        head = f"for ({self.declare(node.target.id)}{spell(node.target.id)} of "
        return self.code(node, head, items, ") ", self.block(node.body))

    def run_Delete(self, node: ast.Delete) -> Code:
        """Write ``del`` of a dict's item."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            raise self.refuse(node, "del takes one item of a dict", "`del d[key]`, or `xs.pop(0)`")
        return self.code(node, "delete ", self.write(target), ";")

    def run_Try(self, node: ast.Try) -> Code:
        """Write try, except and finally."""
        if node.orelse:
            raise self.refuse(node.orelse[0], "a try has no else", "the statements inside it")
        parts: list[Part] = ["try ", self.block(node.body)]
        if node.handlers:
            parts += [" catch (", *self.handlers(node.handlers)]
        if node.finalbody:
            parts += [" finally ", self.block(node.finalbody)]
        return self.code(node, *parts)

    def handlers(self, handlers: list[ast.ExceptHandler]) -> list[Part]:
        """Write the handlers as one ``catch``, which rethrows what none of them matches."""
        names = {handler.name for handler in handlers if handler.name} or {"error$"}
        if len(names) > 1 or names & self.scopes[-1].names:
            raise self.refuse(
                handlers[-1],
                "all handlers of a `try` use one name, which is not a variable's",
                "one new name",
            )
        # JavaScript declares it in the handler alone.
        scope = self.scopes[-1]
        self.scopes[-1] = Scope(scope.names | names, scope.declared, scope.kinds)
        name = spell(names.pop())
        self.depth += 1
        choices: list[Part] = []
        catches_all = False
        for handler in handlers:
            kind = handler.type.id if isinstance(handler.type, ast.Name) else None
            if catches_all or (handler.type is not None and kind is None):
                raise self.refuse(handler, "an except names one exception", "an except for each")
            if kind is not None and (self.is_bound(kind) or kind not in EXCEPTIONS):
                raise self.refuse(
                    handler, f"{kind} is not an exception of Python", "a built-in exception"
                )
            catches_all = kind in (None, "Exception")
            test = "" if catches_all else f'if ({name}.name === "{kind}") '
            choices += [" else " if choices else "", test, self.block(handler.body)]
        if not catches_all:
            choices += [f" else throw {name};"]
        self.depth -= 1
        scope.declared |= self.scopes[-1].declared
        self.scopes[-1] = scope
        margin = INDENT * self.depth
        return [f"{name}) {{\n{margin}{INDENT}", *choices, f"\n{margin}}}"]

    def run_Raise(self, node: ast.Raise) -> Code:
        """Write ``raise`` of a new exception with a message, or of a caught one."""
        error = node.exc
        if isinstance(error, ast.Name) and node.cause is None and self.is_bound(error.id):
            return self.code(node, "throw ", self.write(error), ";")
        call = error if isinstance(error, ast.Call) else None
        name = call.func.id if call and isinstance(call.func, ast.Name) else ""
        if call is None or node.cause or not name or len(call.args) > 1 or call.keywords:
            raise self.refuse(
                node, "a raise has an exception with one message", "`raise ValueError('message')`"
            )
        text: Part = self.write(call.args[0], ASSIGNMENT) if call.args else '""'
        if self.is_bound(name) or name not in RAISED:
            raise self.refuse(
                node,
                f"{name} is not an exception, or `except` may catch it by the name of its parent",
                "`raise ValueError('message')`, or another direct child of Exception",
            )
        self.library.add("$named")
        return self.code(node, "throw $named(new Error(", text, f'), "{name}");')

    def run_FunctionDef(self, node: ast.FunctionDef) -> Code:
        """Write an inner function together with its declaration."""
        return Code((self.declare(node.name), self.function_statement(node)))

    def function_statement(self, node: ast.FunctionDef) -> Code:
        """Write ``name = (parameters) => { ... };``."""
        if node.decorator_list:
            raise self.refuse(node, "a function has no decorator", "a call of the decorator")
        self.enter(node.args, node.body)
        parameters = self.parameters(node.args)
        body = self.block(node.body)
        self.scopes.pop()
        name = self.code(node, spell(node.name))
        return self.code(node, name, " = (", *parameters, ") => ", body, ";")
