"""Objects as modules: a program with one object of each class needs none at run time.

The tracker makes one object of each of its classes, in one place, and gives each the others that it
needs. So all of it is known when the program is compiled: a method is a function, a private
attribute is a variable of the module, and what an object was given is the function or the object
itself. Nothing is looked up at run time, and a minifier can shorten every name.
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
    """The one object of a class."""

    owner: str


@dataclass(frozen=True)
class Function:
    """A function that can be called by its name anywhere in the program."""

    name: str


@dataclass(frozen=True)
class Variable:
    """A private attribute that holds one value from the making of its object on."""

    name: str


Known = Object | Function | Variable


@dataclass
class Class:
    """A class of the program: its methods, and what is known of its attributes and parameters."""

    name: str
    file: str
    methods: dict[str, ast.FunctionDef]
    # How often each attribute is assigned.
    stores: Counter[str]
    # The attributes that __init__ assigns once, by a statement of its own.
    settled: set[str]
    # The names that __init__ gives another meaning than its parameters have.
    rebound: set[str]
    attributes: dict[str, Known] = field(default_factory=dict)
    parameters: dict[str, Known] = field(default_factory=dict)
    created: bool = False

    def __post_init__(self) -> None:
        """Note the order of the parameters, before any is taken out."""
        self.order = [parameter.arg for parameter in self.methods["__init__"].args.args[1:]]

    def method(self, name: str) -> str:
        """Return the name of the function that a method becomes."""
        return f"{MEMBER}{self.name}_{name}" if name != "__init__" else CREATE + self.name

    def variable(self, attribute: str) -> str:
        """Return the name of the variable that an attribute becomes."""
        return f"{MEMBER}{self.name}_{attribute}"


def is_self(node: ast.AST) -> bool:
    """Tell whether node is the name ``self``."""
    return isinstance(node, ast.Name) and node.id == "self"


def stored_in(node: ast.AST) -> Counter[str]:
    """Return how often each attribute is assigned in a class, or in a method."""
    return Counter(
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    )


def settled_in(method: ast.FunctionDef) -> set[str]:
    """Return the attributes that a method assigns once, and whatever happens."""
    stores = stored_in(method)
    targets = [part.targets[0] for part in method.body if isinstance(part, ast.Assign)]
    return {
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and is_self(target.value) and stores[target.attr] == 1
    }


def rebound_in(method: ast.FunctionDef) -> set[str]:
    """Return the names that a method assigns, and those of the functions in it."""
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
        # The file of the module that is read or written now.
        self.file = ""
        self.classes: dict[str, Class] = {}
        # The variables of ``start`` that hold an object.
        self.objects: dict[str, Object] = {}
        # Top-level functions, by the name that is the same in every module that imports it.
        self.functions: set[str] = set()
        # What is defined at the top, by its name, with the file.
        defined: dict[str, str] = {}
        for source in modules.values():
            self.file = source.file
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    if node.name in defined:
                        raise self.refuse(
                            node, f"{defined[node.name]} has a {node.name} too", "another name"
                        )
                    defined[node.name] = source.file
                if isinstance(node, ast.FunctionDef):
                    self.functions.add(node.name)
                elif isinstance(node, ast.ClassDef) and not is_record(node):
                    self.classes[node.name] = self.read_class(node)
                elif isinstance(node, ast.ImportFrom):
                    self.read_import(node)

    def refuse(self, node: ast.AST, reason: str, remedy: str) -> CompileError:
        """Return the error that says what is not of the form, where, and what to write."""
        return CompileError(self.file, node, reason, remedy)

    def read_import(self, node: ast.ImportFrom) -> None:
        """Refuse an import under another name: a name means the same in every module."""
        for alias in node.names:
            if alias.asname:
                raise self.refuse(
                    node, f"{alias.name} has one name in the whole program", "it without `as`"
                )

    def read_class(self, node: ast.ClassDef) -> Class:
        """Return what there is to know of a class before any object is made."""
        methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
        if node.bases or len(methods) < len(node.body) or "__init__" not in methods:
            raise self.refuse(
                node,
                f"class {node.name} becomes functions and variables",
                "__init__, methods, and nothing else: no base, no attribute of the class",
            )
        init = methods["__init__"]
        return Class(
            node.name, self.file, methods, stored_in(node), settled_in(init), rebound_in(init)
        )

    def run(self) -> dict[str, Source]:
        """Return the modules without singletons, and with the imports that they need now."""
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

    # What is known of the objects: from the one place where they are made.

    def follow(self, body: list[ast.stmt], owner: Class | None) -> None:
        """Follow the calls of classes in the statements of a function, in order."""
        for node in (node for statement in body for node in ast.walk(statement)):
            if isinstance(node, ast.Call) and self.class_of(node) is not None:
                self.follow_creation(node, owner)
            if isinstance(node, ast.Assign):
                self.follow_assignment(node.targets[0], self.resolve(node.value, owner), owner)

    def follow_assignment(self, target: ast.expr, value: Known | None, owner: Class | None) -> None:
        """Note what an attribute, or a variable of ``start``, is known to hold."""
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
                    f"{owner.name}.{target.attr} may hold one object or another",
                    f"`self.{target.attr} = ...` once, in __init__",
                )

    def follow_creation(self, call: ast.Call, owner: Class | None) -> None:
        """Bind the parameters of a class to what its one call gives them."""
        created = self.class_of(call)
        assert created is not None  # noqa: S101 - the caller has looked
        if created.created:
            raise self.refuse(
                call, f"class {created.name} has an object already", "one call of it in the program"
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
        """Return the variable of an attribute that is assigned once; None for other values."""
        if owner is None or not isinstance(node, ast.Attribute) or not is_self(node.value):
            return None
        is_settled = owner.stores[node.attr] == 1 and node.attr in owner.settled
        return Variable(owner.variable(node.attr)) if is_settled else None

    def class_of(self, node: ast.AST) -> Class | None:
        """Return the class that a call makes an object of, if it does."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.classes.get(node.func.id)
        return None

    def resolve(self, node: ast.AST, owner: Class | None) -> Known | None:
        """Return the object or function that an expression is known to be; None for a value."""
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
                f"{holder.name}.{node.attr} is no method: an object's attributes are its own",
                f"a method of {holder.name} that returns it",
            )
        return holder.attributes.get(node.attr)

    # The modules without classes.

    def rewrite(self, source: Source) -> ast.Module:
        """Return a module with functions and variables in the place of its singletons."""
        self.file = source.file
        body: list[ast.stmt] = []
        for statement in source.tree.body:
            if isinstance(statement, ast.ClassDef):
                owner = self.classes.get(statement.name)
                if owner is None or not owner.created:
                    # A record, or a class that nothing in this program makes an object of.
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
                    raise self.refuse(statement, "the program begins in start", "this there")
                body.append(statement)
        return ast.Module(body, [])

    def import_names(
        self, name: str, tree: ast.Module, linked: dict[str, ast.Module]
    ) -> ast.Module:
        """Return a module with an import of each name that another one defines."""
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

    The variables that the class's attributes become are put into ``variables``, with the value
    that they have before anything runs.
    """

    def __init__(
        self, program: Program, owner: Class | None, variables: dict[str, ast.expr]
    ) -> None:
        self.program = program
        self.owner = owner
        self.variables = variables
        self.assigned: list[set[str]] = []
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
        """Return what an expression of this function is known to be."""
        if isinstance(node, ast.Name) and self.owner is not None and not self.in_init:
            return None
        return self.program.resolve(node, self.owner)

    # The names of the visitors are ast's.
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Declare the variables of the module that a function assigns."""
        self.assigned.append(set())
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        names = self.assigned.pop()
        if names:
            node.body.insert(0, ast.Global(sorted(names)))
            for name in names:
                self.variables.setdefault(name, ast.Constant(None))
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        """Leave out what is known without a variable; an object is still made."""
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
        """Visit a call; one that makes an object stands in an assignment alone."""
        self.refuse_made(node)
        self.generic_visit(node)
        return node

    def refuse_made(self, node: ast.AST) -> None:
        """Refuse an object that is not held at once."""
        created = self.program.class_of(node)
        if created is not None:
            raise self.program.refuse(
                node,
                f"the object of class {created.name} is known by the name that holds it",
                "`name = Class(...)` in start, or `self._name = Class(...)` in __init__",
            )

    def create(self, created: Class, node: ast.Call) -> ast.Call:
        """Make an object by its function, without the arguments that are known."""
        if not created.created:
            raise self.program.refuse(
                node,
                f"the object of class {created.name} is made where the program is put together",
                "its call in start, or in the __init__ of an object that is made there",
            )
        for value in node.args:
            self.refuse_made(value)
        arguments = [
            self.visit(value)
            for name, value in zip(created.order, node.args, strict=True)
            if name not in created.parameters
        ]
        function = ast.copy_location(ast.Name(CREATE + created.name, ast.Load()), node.func)
        return ast.copy_location(ast.Call(function, arguments, []), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Put a function in the place of a parameter that is known to be it."""
        known = self.known(node) if self.owner is not None else None
        if not isinstance(known, Function | Variable):
            return node
        return ast.copy_location(ast.Name(known.name, ast.Load()), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Put a function or a variable in the place of ``self.x`` and ``self.x.method``."""
        self.refuse_made(node.value)
        if isinstance(node.ctx, ast.Load):
            known = self.known(node)
            if isinstance(known, Function | Variable):
                return ast.copy_location(ast.Name(known.name, ast.Load()), node)
            if isinstance(known, Object):
                raise self.program.refuse(
                    node,
                    f"{ast.unparse(node)} is an object, and no value",
                    "a method of it, or give the object to a class as an argument",
                )
        if self.owner is not None and is_self(node.value):
            name = self.owner.variable(node.attr)
            if not isinstance(node.ctx, ast.Load):
                self.assigned[-1].add(name)
            return ast.copy_location(ast.Name(name, node.ctx), node)
        self.generic_visit(node)
        return node


def link(modules: Mapping[str, Source]) -> dict[str, Source]:
    """Return the modules of a program that ``start`` begins, without singletons."""
    return Program(modules).run()
