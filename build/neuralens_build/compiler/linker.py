"""Links a program by replacing singletons: methods become functions, attributes variables.

The tracker creates each of its singletons in one place, and passes it the others that it depends
on. So all dependencies are known at compile time: a method becomes a module-level function, a
private attribute a module-level variable, and an injected dependency a direct reference. No
property is looked up at run time, and the minifier can shorten every name.
"""

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from neuralens_build.compiler.records import is_literal, is_record
from neuralens_build.compiler.refusal import CompileError
from neuralens_build.compiler.source import Source

CREATE = "create_"
MEMBER = "of_"


@dataclass(frozen=True)
class Object:
    """The singleton of a class."""

    owner: str


@dataclass(frozen=True)
class Function:
    """A module-level function, whose name is unique in the program."""

    name: str


@dataclass(frozen=True)
class Variable:
    """A private attribute that is assigned once, in ``__init__``."""

    name: str


Known = Object | Function | Variable


@dataclass
class Class:
    """A singleton class: its methods, and the known values of its attributes and parameters."""

    name: str
    file: str
    methods: dict[str, ast.FunctionDef]
    # How often each attribute is assigned.
    stores: Counter[str]
    # The attributes that __init__ assigns once, unconditionally.
    settled: set[str]
    # The names that __init__ rebinds.
    rebound: set[str]
    attributes: dict[str, Known] = field(default_factory=dict)
    parameters: dict[str, Known] = field(default_factory=dict)
    created: bool = False

    def __post_init__(self) -> None:
        """Record the order of the parameters, before any is removed."""
        self.order = [parameter.arg for parameter in self.methods["__init__"].args.args[1:]]

    def method(self, name: str) -> str:
        """Return the name of a method's function."""
        return f"{MEMBER}{self.name}_{name}" if name != "__init__" else CREATE + self.name

    def variable(self, attribute: str) -> str:
        """Return the name of an attribute's variable."""
        return f"{MEMBER}{self.name}_{attribute}"


def is_self(node: ast.AST) -> bool:
    """Return whether node is the name ``self``."""
    return isinstance(node, ast.Name) and node.id == "self"


def stored_in(node: ast.AST) -> Counter[str]:
    """Return how often each attribute is assigned in a class, or in a method."""
    return Counter(
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    )


def settled_in(method: ast.FunctionDef) -> set[str]:
    """Return the attributes that a method assigns once and unconditionally."""
    stores = stored_in(method)
    targets = [part.targets[0] for part in method.body if isinstance(part, ast.Assign)]
    return {
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and is_self(target.value) and stores[target.attr] == 1
    }


def rebound_in(method: ast.FunctionDef) -> set[str]:
    """Return the names that a method and its inner functions assign."""
    own = {id(parameter) for parameter in method.args.args}
    names: set[str] = set()
    for part in ast.walk(method):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.arg) and id(part) not in own:
            names.add(part.arg)
        elif isinstance(part, ast.FunctionDef) and part is not method:
            names.add(part.name)
    return names


def defined_in(tree: ast.Module) -> set[str]:
    """Return the top-level names of a module."""
    names = {statement.name for statement in tree.body if isinstance(statement, ast.FunctionDef)}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names


class Program:
    """All modules of a program, linked by ``run``."""

    def __init__(self, modules: Mapping[str, Source]) -> None:
        self.modules = modules
        # The file of the current module, for messages.
        self.file = ""
        self.classes: dict[str, Class] = {}
        # The variables of ``start`` that hold a singleton.
        self.objects: dict[str, Object] = {}
        # The module-level functions, by their unique names.
        self.functions: set[str] = set()
        # The file of each module-level definition, by its name.
        defined: dict[str, str] = {}
        for source in modules.values():
            self.file = source.file
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    if node.name in defined:
                        raise self.refuse(
                            node, f"{defined[node.name]} also defines {node.name}", "another name"
                        )
                    defined[node.name] = source.file
                if isinstance(node, ast.FunctionDef):
                    self.functions.add(node.name)
                elif isinstance(node, ast.ClassDef) and not is_record(node):
                    self.classes[node.name] = self.read_class(node)
                elif isinstance(node, ast.ImportFrom):
                    self.read_import(node)

    def refuse(self, node: ast.AST, reason: str, remedy: str) -> CompileError:
        """Return the error for an unsupported construct, with its remedy."""
        return CompileError(self.file, node, reason, remedy)

    def read_import(self, node: ast.ImportFrom) -> None:
        """Refuse ``import ... as``: a name must mean the same in every module."""
        for alias in node.names:
            if alias.asname:
                raise self.refuse(
                    node, f"{alias.name} has one name in the whole program", "it without `as`"
                )

    def read_class(self, node: ast.ClassDef) -> Class:
        """Return a class, before its construction is known."""
        methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
        if node.bases or len(methods) < len(node.body) or "__init__" not in methods:
            raise self.refuse(
                node,
                f"class {node.name} is a singleton",
                "__init__ and methods only: no base class and no class attributes",
            )
        init = methods["__init__"]
        return Class(
            node.name, self.file, methods, stored_in(node), settled_in(init), rebound_in(init)
        )

    def run(self) -> dict[str, Source]:
        """Return the modules without singletons, with their imports updated."""
        for source in self.modules.values():
            for node in source.tree.body:
                if isinstance(node, ast.FunctionDef) and node.name == "start":
                    self.file = source.file
                    self.follow(node.body, None)
        linked = {name: self.rewrite(source) for name, source in self.modules.items()}
        return {
            name: replace(self.modules[name], tree=self.import_names(name, tree, linked))
            for name, tree in linked.items()
        }

    # Analysis of the singletons, from the place of their construction.

    def follow(self, body: list[ast.stmt], owner: Class | None) -> None:
        """Follow the construction of singletons in the statements of a function, in order."""
        for node in (node for statement in body for node in ast.walk(statement)):
            if isinstance(node, ast.Call) and self.class_of(node) is not None:
                self.follow_creation(node, owner)
            if isinstance(node, ast.Assign):
                self.follow_assignment(node.targets[0], self.resolve(node.value, owner), owner)

    def follow_assignment(self, target: ast.expr, value: Known | None, owner: Class | None) -> None:
        """Record the known value of an attribute, or of a variable of ``start``."""
        if owner is None and isinstance(target, ast.Name) and isinstance(value, Object):
            self.objects[target.id] = value
        if owner is None or value is None or not isinstance(target, ast.Attribute):
            return
        if is_self(target.value):
            if owner.stores[target.attr] == 1 and target.attr in owner.settled:
                owner.attributes[target.attr] = value
            elif isinstance(value, Object):
                raise self.refuse(
                    target,
                    f"{owner.name}.{target.attr} may hold different singletons",
                    f"`self.{target.attr} = ...` once, in __init__",
                )

    def follow_creation(self, call: ast.Call, owner: Class | None) -> None:
        """Bind the parameters of a class to the arguments of its only call."""
        created = self.class_of(call)
        assert created is not None  # noqa: S101 - the caller has looked
        if created.created:
            raise self.refuse(
                call, f"class {created.name} is instantiated twice", "one call of it in the program"
            )
        created.created = True
        if len(call.args) != len(created.order) or call.keywords:
            raise self.refuse(
                call,
                f"class {created.name} takes {len(created.order)} arguments",
                f"{created.name}({', '.join(created.order)})",
            )
        for name, value in zip(created.order, call.args, strict=True):
            known = self.resolve(value, owner) or self.variable_of(value, owner)
            if known is not None and name not in created.rebound:
                created.parameters[name] = known
        file, self.file = self.file, created.file
        self.follow(created.methods["__init__"].body, created)
        self.file = file

    @staticmethod
    def variable_of(node: ast.AST, owner: Class | None) -> Variable | None:
        """Return the variable of an attribute that is assigned once, otherwise None."""
        if owner is None or not isinstance(node, ast.Attribute) or not is_self(node.value):
            return None
        is_settled = owner.stores[node.attr] == 1 and node.attr in owner.settled
        return Variable(owner.variable(node.attr)) if is_settled else None

    def class_of(self, node: ast.AST) -> Class | None:
        """Return the class that a call instantiates, if any."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.classes.get(node.func.id)
        return None

    def resolve(self, node: ast.AST, owner: Class | None) -> Known | None:
        """Return the known object, function or variable of an expression, or None."""
        created = self.class_of(node)
        if created is not None:
            return Object(created.name)
        if isinstance(node, ast.Name):
            if owner is None and node.id in self.objects:
                return self.objects[node.id]
            if owner is not None and node.id in owner.parameters:
                return owner.parameters[node.id]
            if owner is not None and node.id in (*owner.order, *owner.rebound):
                return None
            return Function(node.id) if node.id in self.functions else None
        if not isinstance(node, ast.Attribute):
            return None
        holder = owner if is_self(node.value) else None
        if holder is None:
            found = self.resolve(node.value, owner)
            holder = self.classes[found.owner] if isinstance(found, Object) else None
        if holder is None:
            return None
        if node.attr in holder.methods:
            return Function(holder.method(node.attr))
        if holder is not owner:
            raise self.refuse(
                node,
                f"{holder.name}.{node.attr} is not a method: attributes of singletons are private",
                f"a method of {holder.name} that returns it",
            )
        return holder.attributes.get(node.attr)

    # The modules without classes.

    def rewrite(self, source: Source) -> ast.Module:
        """Return a module with its singletons replaced by functions and variables."""
        self.file = source.file
        body: list[ast.stmt] = []
        for statement in source.tree.body:
            if isinstance(statement, ast.ClassDef):
                owner = self.classes.get(statement.name)
                if owner is None or not owner.created:
                    # It is a record, or this program does not instantiate it.
                    continue
                variables: dict[str, ast.expr] = {}
                functions = [
                    Rewriter(self, owner, variables).rewrite(method)
                    for method in owner.methods.values()
                ]
                for name, value in sorted(variables.items()):
                    body.append(ast.Assign([ast.Name(name, ast.Store())], value))
                body += functions
            elif isinstance(statement, ast.FunctionDef):
                body.append(Rewriter(self, None, {}).rewrite(statement))
            elif not isinstance(statement, ast.ImportFrom):
                if any(self.class_of(node) is not None for node in ast.walk(statement)):
                    raise self.refuse(statement, "singletons are created in `start`", "this there")
                body.append(statement)
        return ast.Module(body, [])

    def import_names(
        self, name: str, tree: ast.Module, linked: dict[str, ast.Module]
    ) -> ast.Module:
        """Return a module with imports of the names that other modules define."""
        origins: dict[str, str] = {}
        for statement in self.modules[name].tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                origins |= {alias.name: statement.module for alias in statement.names}
        for module, other in linked.items():
            for defined in sorted(defined_in(other)):
                if defined.startswith((MEMBER, CREATE)) or defined in self.functions:
                    origins.setdefault(defined, module)
        own = defined_in(tree)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        imports = [
            ast.ImportFrom(origins[used_name], [ast.alias(used_name)], 0)
            for used_name in sorted(used & origins.keys())
            if used_name not in own
        ]
        return ast.Module([*imports, *tree.body], [])


class Rewriter(ast.NodeTransformer):
    """Rewrites one function; ``owner`` is the class whose method it is, if it is one.

    Adds the variables that replace the class's attributes to ``variables``, with their initial
    values.
    """

    def __init__(
        self, program: Program, owner: Class | None, variables: dict[str, ast.expr]
    ) -> None:
        self.program = program
        self.owner = owner
        self.variables = variables
        self.assigned: list[set[str]] = []
        # The names bound in each function around what is visited.
        self.bound: list[set[str]] = []
        self.in_init = False

    def rewrite(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Return the function."""
        if self.owner is not None:
            self.in_init = node.name == "__init__"
            node.args.args = [
                parameter
                for parameter in node.args.args[1:]
                if not (self.in_init and parameter.arg in self.owner.parameters)
            ]
            node.name = self.owner.method(node.name)
        self.visit(node)
        return node

    def known(self, node: ast.AST) -> Known | None:
        """Return the known value of an expression in this function, or None."""
        if isinstance(node, ast.Name) and self.owner is not None and not self.in_init:
            return None
        return self.program.resolve(node, self.owner)

    # The visitors' names are prescribed by ast.
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Add a ``global`` statement for the module-level variables that a function assigns."""
        self.assigned.append(set())
        self.bound.append(rebound_in(node) | {parameter.arg for parameter in node.args.args})
        self.generic_visit(node)
        self.bound.pop()
        node.body = node.body or [ast.Pass()]
        names = self.assigned.pop()
        if names:
            node.body.insert(0, ast.Global(sorted(names)))
            for name in names:
                self.variables.setdefault(name, ast.Constant(None))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        """Drop assignments of known values, except that singletons are still created."""
        target = node.targets[0]
        created = self.program.class_of(node.value)
        if created is not None and isinstance(node.value, ast.Call):
            return ast.copy_location(ast.Expr(self.create(created, node.value)), node)
        if isinstance(target, ast.Attribute) and is_self(target.value) and self.in_init:
            assert self.owner is not None  # noqa: S101 - in_init says so
            if target.attr in self.owner.attributes:
                return None
            if target.attr in self.owner.settled and is_literal(node.value):
                self.variables[self.owner.variable(target.attr)] = node.value
                return None
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Visit a call; instantiation is only allowed as the value of an assignment."""
        self.refuse_unassigned(node)
        self.generic_visit(node)
        return node

    def refuse_unassigned(self, node: ast.AST) -> None:
        """Refuse an instantiation whose result is not assigned directly."""
        created = self.program.class_of(node)
        if created is not None:
            raise self.program.refuse(
                node,
                f"the instance of class {created.name} is not assigned to a name",
                "`name = Class(...)` in start, or `self._name = Class(...)` in __init__",
            )

    def create(self, created: Class, node: ast.Call) -> ast.Call:
        """Call a singleton's create function, without the known arguments."""
        if not created.created:
            raise self.program.refuse(
                node,
                f"class {created.name} is instantiated outside the composition root",
                "its call in start, or in the __init__ of a singleton that is created there",
            )
        for value in node.args:
            self.refuse_unassigned(value)
        arguments = [
            self.visit(value)
            for name, value in zip(created.order, node.args, strict=True)
            if name not in created.parameters
        ]
        function = ast.copy_location(ast.Name(CREATE + created.name, ast.Load()), node.func)
        return ast.copy_location(ast.Call(function, arguments, []), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Replace a parameter by its known function or variable."""
        known = self.known(node) if self.owner is not None else None
        return self.refer(node, known) if isinstance(known, Function | Variable) else node

    def refer(self, node: ast.expr, known: Function | Variable) -> ast.Name:
        """Return a reference to a function or variable in place of an expression."""
        if any(known.name in names for names in self.bound):
            raise self.program.refuse(
                node,
                f"{ast.unparse(node)} is {known.name}, which a local variable shadows here",
                "another name of the variable",
            )
        return ast.copy_location(ast.Name(known.name, ast.Load()), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Replace ``self.x`` and ``self.x.method`` by a variable or function."""
        self.refuse_unassigned(node.value)
        if isinstance(node.ctx, ast.Load):
            known = self.known(node)
            if isinstance(known, Function | Variable):
                return self.refer(node, known)
            if isinstance(known, Object):
                raise self.program.refuse(
                    node,
                    f"{ast.unparse(node)} is a singleton, not a value",
                    "a method of it, or pass it to the constructor of another singleton",
                )
        if self.owner is not None and is_self(node.value):
            name = self.owner.variable(node.attr)
            if not isinstance(node.ctx, ast.Load):
                self.assigned[-1].add(name)
            return ast.copy_location(ast.Name(name, node.ctx), node)
        self.generic_visit(node)
        return node


def link(modules: Mapping[str, Source]) -> dict[str, Source]:
    """Return the modules of a program, whose entry is ``start``, without singletons."""
    return Program(modules).run()
