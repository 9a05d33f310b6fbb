"""What a worker does with each kind of work: every job with its stores."""

from __future__ import annotations

from collections.abc import Mapping

from bot.app import Core
from bot.care_job import CareJob, CareStores
from bot.crm_comments import CrmComments
from bot.crm_watch import CrmWatchJob, WatchStores
from bot.handover_desk import HandoverDesk, people_stores
from bot.handover_watch import HandoverWatchJob
from bot.handover_watch import WatchStores as HandoverWatchStores
from bot.housekeeping import SweepJob
from bot.lane import Job
from bot.memory_keeper import MemoryJob, MemoryStores
from bot.mirror import MirrorJob, MirrorStores
from bot.reminders import ReminderJob, ReminderStores
from bot.scopes import Scopes
from bot.sick_watch import SickJob, SickStores
from bot.turn_job import TurnJob
from bot.waiting_job import WaitingJob, WaitingStores
from db.appointments import Appointments
from db.clients import Clients
from db.crm_events import CrmEvents
from db.dialogues import Dialogues
from db.handovers import Handovers
from db.intents import Intents
from db.memory import Memory
from db.outbox import Outbox
from db.outreach import Outreach
from db.records import ChannelType, WorkKind
from db.reminders import Reminders
from db.retention import RetentionSweeps
from db.slot_claims import SlotClaims
from db.spending import Spending
from handlers.base import ChannelDispatch
from handlers.delivery import DeliveryJob, DeliveryStores
from handlers.staff_notices import StaffNotices
from handlers.telegram.bots import Bots
from handlers.telegram.rooms import TelegramRooms
from orchestration.ports import Model


def build_jobs(
    core: Core,
    scopes: Scopes,
    channels: Mapping[ChannelType, ChannelDispatch],
    turns: TurnJob,
    model: Model,
    bots: Bots,
) -> dict[WorkKind, Job]:
    """Return what is done with each kind of work."""
    people = people_stores(core)
    notices = StaffNotices(core.directory, people.outbox)
    handovers = HandoverDesk(people, notices, core.clock)
    deliveries = DeliveryJob(delivery_stores(core), channels, core.send_pace, core.clock)
    watch = CrmWatchJob(
        WatchStores(
            database=core.database,
            work=core.work,
            events=CrmEvents(core.database),
            appointments=Appointments(),
            dialogues=Dialogues(),
            outbox=Outbox(core.clock),
            intents=Intents(),
            directory=core.directory,
        ),
        scopes,
        CrmComments(people, handovers, notices, core.clock),
        core.clock,
    )
    remembering = MemoryJob(
        MemoryStores(
            database=core.database, work=core.work, dialogues=Dialogues(), memory=Memory(), spending=Spending()
        ),
        scopes,
        model,
        core.clock,
    )
    mirror = MirrorJob(
        MirrorStores(
            database=core.database,
            work=core.work,
            directory=core.directory,
            dialogues=Dialogues(),
            handovers=Handovers(),
            outbox=Outbox(core.clock),
        ),
        scopes,
        TelegramRooms(bots),
        core.clock,
    )
    waiting = HandoverWatchJob(
        HandoverWatchStores(database=core.database, work=core.work, directory=core.directory, people=people),
        scopes,
        handovers,
        core.clock,
    )
    sweeps = SweepJob(core.database, core.directory, core.inbox, SlotClaims(), RetentionSweeps(), core.work, core.clock)
    return {
        WorkKind.TURN: turns,
        WorkKind.DELIVERY: deliveries,
        WorkKind.SWEEP: sweeps,
        WorkKind.CRM: watch,
        WorkKind.MEMORY: remembering,
        WorkKind.REMINDER: ReminderJob(_reminder_stores(core), scopes, core.clock),
        WorkKind.WAITING: WaitingJob(_waiting_stores(core), scopes, core.clock),
        WorkKind.CARE: CareJob(_care_stores(core), scopes, core.clock),
        WorkKind.MIRROR: mirror,
        WorkKind.HANDOVER: waiting,
        WorkKind.SICK: SickJob(
            SickStores(database=core.database, work=core.work, outbox=Outbox(core.clock)), scopes, core.clock
        ),
    }


def _reminder_stores(core: Core) -> ReminderStores:
    return ReminderStores(
        database=core.database,
        work=core.work,
        appointments=Appointments(),
        reminders=Reminders(),
        dialogues=Dialogues(),
        clients=Clients(),
        outreach=Outreach(),
        outbox=Outbox(core.clock),
        intents=Intents(),
        directory=core.directory,
        doorbell=core.doorbell,
    )


def _waiting_stores(core: Core) -> WaitingStores:
    return WaitingStores(
        database=core.database,
        work=core.work,
        outbox=Outbox(core.clock),
        directory=core.directory,
        doorbell=core.doorbell,
    )


def _care_stores(core: Core) -> CareStores:
    return CareStores(
        database=core.database,
        work=core.work,
        outbox=Outbox(core.clock),
        directory=core.directory,
        doorbell=core.doorbell,
    )


def delivery_stores(core: Core) -> DeliveryStores:
    """Return what a delivery reads and writes."""
    return DeliveryStores(
        database=core.database,
        outbox=Outbox(core.clock),
        work=core.work,
        directory=core.directory,
        companies=core.companies,
        dialogues=Dialogues(),
    )
