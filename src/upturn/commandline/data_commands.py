"""The commands that list data and curve models, or make a table."""

import click

from upturn.commandline.delivery import print_text
from upturn.commandline.edge import Command, example
from upturn.commandline.options import facts_option, quiet_option
from upturn.commandline.source import keep_inputs

# Listed here because the modules that define them take a second to load; a test compares.


@click.command(cls=Command, epilog=example("datasets open-models -o open-models.csv"))
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv).")
def datasets(name: str | None, output: str | None) -> None:
    """List the bundled data sets, or print one."""
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.terminal import print_list
    from upturn.tables import datasets as bundled

    if name is None:
        if output is not None:
            raise click.UsageError("-o needs the NAME of a data set")
        rows = [
            (d.name, f"{d.rows:,}", f"{d.tasks}", f"{d.models}", ", ".join(d.axes),
             f"{d.citation}. Licence: {d.licence}")
            for d in bundled.catalogue()
        ]  # fmt: skip
        headers = ["data set", "rows", "tasks", "models", "axes", "source and licence"]
        print_list(headers, rows, right={1, 2, 3})
        return
    path = None if output is None else check_writable(output, (".csv", ".txt"))
    text = bundled.path(name).read_text("utf-8")
    if path is None:
        print_text(text)
    else:
        write_text(path, text)


@click.command(cls=Command, epilog=example("facts open-models -o models.csv"))
@click.argument("table", metavar="TABLE")
@facts_option
@click.option("-o", "--output", metavar="FILE", help="Write the list to this file (.csv).")
@quiet_option("Print no notes.")
def facts(table: str, facts: str | None, output: str | None, quiet: bool) -> None:
    """List the models of a table and what is known of each.

    TABLE is a file, - for standard input, the name of a bundled data set, or a folder of results of
    an evaluation harness. A size that is known from the name alone is marked as guessed. Edit the
    list and use it: `upturn fit results.csv --facts models.csv`.
    """
    import upturn
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv
    from upturn.show.text.text import one_line
    from upturn.tables.facts.listing import notes_of

    target = None if output is None else check_writable(output, (".csv",))
    keep_inputs([target] if target else [], table, facts)
    listing = upturn.facts(table, facts=facts)
    if target is None:
        print_text(to_csv(listing))
    else:
        write_text(target, to_csv(listing))
    if not quiet:
        notes = notes_of(listing)
        click.echo("".join(f"note: {one_line(note)}\n" for note in notes), err=True, nl=False)


@click.command(cls=Command, epilog=example("convert results/ --facts models.csv -o table.csv"))
@click.argument("arguments", metavar="[HARNESS] PATH", nargs=-1, required=True)
@facts_option
@click.option("--groups", is_flag=True, help="Take averages over tasks beside the tasks too.")
@click.option("-o", "--output", metavar="FILE", help="Write the table to this file (.csv).")
@quiet_option("Print no notes.")
def convert(
    arguments: tuple[str, ...], facts: str | None, groups: bool, output: str | None, quiet: bool
) -> None:
    """Make a table from the results of an evaluation harness.

    PATH is one file, or a folder that is searched with all its subfolders. What is in the files
    tells the harness; HARNESS is needed only where a folder holds results of several: lm-eval (the
    LM Evaluation Harness, older layouts too), lighteval, bigbench (BIG-bench's scores_*.json), helm
    (run_spec.json and stats.json), inspect (.eval and .json logs), olmes, mteb, every-eval-ever,
    code (EvalPlus, BigCode), details-card (Open LLM Leaderboard), opencompass (summary_*.csv), or
    one that another package adds; inspect-answers gives the single answers in logs of Inspect.
    """
    from upturn.posterior.files import check_writable
    from upturn.show.text.files import write_text
    from upturn.show.text.formats import to_csv
    from upturn.show.text.text import one_line
    from upturn.tables.conversion import tabulate

    if len(arguments) > 2:
        raise click.UsageError(f"expected [HARNESS] PATH, but got {len(arguments)} arguments")
    kind, path = arguments if len(arguments) == 2 else (None, arguments[0])
    target = None if output is None else check_writable(output, (".csv",))
    keep_inputs([target] if target else [], path, facts)
    frame, notes = tabulate(path, kind=kind, facts=facts, groups=groups)
    if target is None:
        print_text(to_csv(frame))
    else:
        write_text(target, to_csv(frame))
    if not quiet:
        click.echo("".join(f"note: {one_line(note)}\n" for note in notes), err=True, nl=False)


@click.command(cls=Command, epilog=example("models hinge > my.toml"))
@click.argument("name", required=False)
def models(name: str | None) -> None:
    """List the curve models, or print one.

    With NAME, the whole file of that model is printed, with every prior. Save it, change a line,
    and pass it to --model.
    """
    from upturn.model import Model
    from upturn.show.text.terminal import print_list

    if name is not None:
        click.echo(Model.read(name).to_toml(), nl=False)
        return
    listed = map(Model.read, Model.names())
    rows = [(m.name, m.shape, ", ".join(m.parameters), m.summary) for m in listed]
    print_list(["model", "shape", "parameters", "what it is"], rows)


ALL = (datasets, convert, facts, models)
