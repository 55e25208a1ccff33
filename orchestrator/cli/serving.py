"""`muster coordinator` and `muster broker`: what runs until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.calling import (
    BrokerOption,
    ConfigOption,
    coordinator_address,
    one_line_errors,
    read_settings,
    transport,
)
from orchestrator.clock import suspended_too
from orchestrator.collection import rare_full_collections
from orchestrator.core.tuning import Tuning
from orchestrator.experience import advice, history, no_advice, wall
from orchestrator.journal import SqliteJournal
from orchestrator.library import Orchestrator
from orchestrator.planner import Planner
from orchestrator.planner.choosing import nothing_known
from orchestrator.planner.judging.judge import Judge
from orchestrator.planner.memory import Memory
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.planner.several import SeveralPlanners
from orchestrator.reloading import ReloadingPlaybooks
from orchestrator.service import Service
from orchestrator.settings import (
    Adopt,
    PinningSection,
    PlannerChoice,
    PlannerSection,
    RetentionSection,
    SchedulingSection,
    Settings,
    TimingSection,
)
from protocol import telemetry
from protocol.transport.broker import BrokerProcess

app = typer.Typer()

DAY_S = 86400.0
MISSES = 3  # heartbeats, after which a device is lost
MQTT_PORT = 1883


@app.command()
def coordinator(*, config: ConfigOption = None, broker: BrokerOption = None) -> None:
    """Coordinate runs over the devices on a broker, until SIGTERM or SIGINT.

    Its journal holds all it knows: started again, it goes on where it was.
    """
    with one_line_errors():
        settings = read_settings(config, broker)
        telemetry.configure(json=settings.log.format == "json", level=settings.log.level)
        memory = memory_of(settings)
        planner = planner_of(settings.planner, memory, learned=settings.memory.learned)
        judge = judge_of(settings.planner)
        asyncio.run(_coordinate(settings, planner, memory, judge))


@app.command()
def broker(
    *,
    port: Annotated[
        int, typer.Option(help="Where it listens, on this machine only.", min=1, max=65535)
    ] = MQTT_PORT,
) -> None:
    """Run a mosquitto for this machine, without passwords, until SIGTERM or SIGINT."""
    with one_line_errors():
        asyncio.run(_serve_broker(port))


async def _coordinate(
    settings: Settings, planner: Planner, memory: Memory | None, judge: Judge | None
) -> None:
    address = coordinator_address(settings)
    connection = transport(settings, address, patient=True)
    orchestrator = Orchestrator(
        connection,
        planner=planner,
        journal=SqliteJournal(settings.journal.path, synchronous=settings.journal.synchronous),
        address=address,
        tuning=tuning(settings.timing, settings.retention, settings.pinning, settings.scheduling),
        policy=settings.scheduling.policy,
        parameters=settings.scheduling.parameters,
        pinning=settings.pinning.policy,
        memory=memory,
        judge=judge,
        clock=suspended_too,
    )
    service = Service(orchestrator, connection)
    with rare_full_collections():
        async with _told_to_stop() as stop, orchestrator, service:
            await stop.wait()


async def _serve_broker(port: int) -> None:
    async with _told_to_stop() as stop, BrokerProcess(port) as running:
        typer.echo(f"broker at {running.host}:{running.port}")
        async with asyncio.TaskGroup() as group:
            losing = group.create_task(running.lost(), name="mosquitto")
            await stop.wait()
            losing.cancel()


def memory_of(settings: Settings) -> Memory | None:
    """Return what learns, if the settings name its folder."""
    section, folders = settings.memory, settings.planner.playbooks
    if section.folder is None:
        return None
    into = section.learned if section.adopt is Adopt.RULE else None
    return Memory(section.folder, now=wall, adopt_into=into, playbooks=folders)


def planner_of(
    section: PlannerSection, memory: Memory | None = None, *, learned: Path | None = None
) -> Planner:
    """Return who plans, as the settings say.

    Args:
        section: what they say.
        memory: what a model is told from.
        learned: a folder of playbooks to which more may come; see `ReloadingPlaybooks`.

    Raises:
        SettingsError, PlaybookError: a key, a folder or a playbook is not as it should be.
    """
    if section.llm is None or section.choice is PlannerChoice.PLAYBOOK:
        return _books(section, learned)
    from orchestrator.planner.llm import setup  # noqa: PLC0415  httpx only where a model plans

    books = None if section.choice is PlannerChoice.LLM else _books(section, learned)
    tips = no_advice if memory is None else advice(memory, books)
    known = nothing_known if memory is None else history(memory)
    model = setup.planner(section.llm, environment=os.environ, tips=tips, known=known)
    return model if books is None else SeveralPlanners([books, model])


def judge_of(section: PlannerSection) -> Judge | None:
    """Return who judges ended runs, if the settings name one.

    Raises:
        SettingsError: its key is not where it should be.
    """
    if section.judge is None:
        return None
    from orchestrator.planner.judging import setup  # noqa: PLC0415 - as above

    return setup.judge(section.judge, environment=os.environ)


def _books(section: PlannerSection, learned: Path | None) -> PlaybookPlanner | ReloadingPlaybooks:
    if learned is None:
        return PlaybookPlanner(section.playbooks)
    return ReloadingPlaybooks(section.playbooks, learned)


def tuning(
    timing: TimingSection,
    retention: RetentionSection,
    pinning: PinningSection,
    scheduling: SchedulingSection | None = None,
) -> Tuning:
    """Return the engine's constants, as the settings change them."""
    defaults, section = Tuning(), scheduling or SchedulingSection()
    lost_after_s, lease_s = defaults.lost_after_s, timing.lease_s or defaults.lease_s
    if timing.heartbeat_s is not None:
        lost_after_s = (MISSES + 0.5) * timing.heartbeat_s
    return Tuning(
        lost_after_s=lost_after_s,
        lease_s=lease_s,
        keep_s=retention.days * DAY_S,
        keep_runs=retention.runs,
        keep_tasks=retention.tasks,
        pin_cap_s=pinning.cap_s,
        hedge_budget=section.hedge_budget,
        improve_cpu=section.improve_cpu,
    )


@asynccontextmanager
async def _told_to_stop() -> AsyncIterator[asyncio.Event]:
    """Give an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
