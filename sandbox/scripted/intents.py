"""What a client's message is about, told from its words in Russian and English."""

import re
from enum import StrEnum

from sandbox.scripted.words import plain


class Intent(StrEnum):
    """The matters a front desk hears of, in the order in which one is looked for."""

    PERSON = "person"
    ROBOT = "robot"
    POLICY = "policy"
    LATE = "late"
    CANCEL = "cancel"
    MOVE = "move"
    MINE = "mine"
    NOTE = "note"
    PRODUCTS = "products"
    PRICES = "prices"
    HOURS = "hours"
    ADDRESS = "address"
    PHONE = "phone"
    SERVICES = "services"
    STAFF = "staff"
    BOOK = "book"
    THANKS = "thanks"
    GREETING = "greeting"
    BYE = "bye"


_PATTERNS: dict[Intent, tuple[str, ...]] = {
    Intent.PERSON: (
        r"(?:позов|позвать|переключ|соедин|свяж|связат|дайте|пригласи|поговор|пообщат|нуж(?:ен|на))\w*\b.{0,30}"
        r"\b(?:человек|админ|оператор|менедж|живым|живого|сотрудник|директор|руковод)",
        r"\b(?:жалоб|пожаловат|верните деньги|возврат денег|complain|refund)",
        r"\b(?:call|get|speak|talk|connect|need|want|give|transfer)\b.{0,30}"
        r"\b(?:human|person|operator|manager|receptionist|someone)",
    ),
    Intent.ROBOT: (
        r"\b(?:ты|вы|это|с кем я)\b.{0,20}\b(?:бот|робот|ии|человек|живой|живая|программа|нейросеть)\b",
        r"\b(?:бот|робот)\s*\?|искусственн\w+ интеллект",
        r"\bare you (?:a |an )?(?:real|human|bot|robot|ai|person|machine)|\bam i (?:talking|speaking)",
    ),
    Intent.POLICY: (
        r"\bчто будет,? если|\bесли (?:я )?(?:опозда|отмен|не приду)|\bправила\b|\bполитик|\bштраф|\bпредоплат"
        r"|\bуслови[яе]\b|\bсертификат",
        r"\bwhat (?:happens )?if\b|\bpolicy\b|\bpenalty\b|\blate fee|\bprepay|\bdeposit\b"
        r"|\bgift (?:card|certificate|voucher)",
    ),
    Intent.LATE: (
        r"\b(?:опазды|опозда[юе]м?\b|задерж(?:ива|усь|имся)|приеду позже|буду позже)",
        r"\b(?:running|be|i'?m|am|little|bit) late\b|\blate by\b",
    ),
    Intent.CANCEL: (
        r"\bотмен(?!н)|\bне (?:приду|приедем|придем|приеду)\b|не (?:смогу|сможем|получится) (?:прий|прие|быть)",
        r"\bcancel|can'?t (?:come|make it)",
    ),
    Intent.MOVE: (
        r"\bперенес|\bперенос|\bперезапи|\bпередвин|\bсдвин|помен\w+ (?:время|дату|день|запись)",
        r"\bresched|\b(?:move|change|shift) (?:my|the|it)\b",
    ),
    Intent.MINE: (
        r"\bмо(?:и|я|ю|их|ей) (?:\w+ )?запис|\bк(?:огда|уда|о скольки|о сколько) (?:же )?я записа|\bя записан\w*\s*\?",
        r"\bmy (?:\w+ )?(?:appointments?|bookings?|visits?)\b|\b(?:when|what time) (?:am i|is my)",
    ),
    Intent.NOTE: (
        r"\b(?:передайте|сообщите|предупредите|скажите мастеру|скажите врачу)\b",
        r"\b(?:tell|let) (?:the|my) (?:master|stylist|barber|doctor|staff)|\bpass (?:it )?on\b",
    ),
    Intent.PRODUCTS: (r"\bтовар|\bпродукц|\bпродае|\bпродаж|\bкупить\b|\bкуплю\b|\bproducts?\b|\bbuy\b|\bsell\b",),
    Intent.PRICES: (
        r"\bсколько (?:\w+ ){0,3}(?:стоит|стоят|стоить)|\bпочем\b|\bцен[аыуе]?\b|\bпрайс|\bстоимост",
        r"\bprices?\b|\bcosts?\b|\bhow much\b",
    ),
    Intent.HOURS: (
        r"\b(?:часы|время|график|режим) (?:вашей )?работы|\bработаете\b|\bвы (?:откры|закры)|\bоткрыты\b",
        r"\b(?:до|со) скольки\b|\bво сколько (?:вы )?(?:откр|закр)",
        r"\b(?:opening|working|business|your) hours\b|\b(?:are|do|when|time) you (?:open|close|work)|\bopen on\b",
    ),
    Intent.ADDRESS: (
        r"\bадрес|\bгде (?:вы|ваш|наход|салон|клиник)|\bкак (?:до вас |к вам )?(?:добрат|доехат|пройти|проехат|найти)",
        r"\baddress\b|\bwhere (?:are you|is the|is your)|\blocat(?:ed|ion)\b|\bdirections\b",
    ),
    Intent.PHONE: (
        r"\b(?:ваш|какой|какой у вас|дайте)\b.{0,10}\b(?:телефон|номер)|\bтелефон (?:салона|клиники|для связи)",
        r"\byour (?:phone|number)|\bphone number\s*\?",
    ),
    Intent.SERVICES: (
        r"\b(?:какие|что за|список|перечень|все)\b.{0,15}\bуслуг|^\W*услуги\W*$",
        r"\bчем (?:вы )?занимаетесь|\bчто (?:вы )?(?:делаете|предлагаете|умеете)",
        r"\bservices\b|\bwhat do you (?:do|offer)|\bprice list\b",
    ),
    Intent.STAFF: (
        r"\b(?:какие|кто|список)\b.{0,25}"
        r"\b(?:мастер|врач|специалист|доктор|барбер|стилист|делает|работает|принимает|стрижет|красит)",
        r"\bwho (?:does|do|works|are your|is working)|\b(?:which|what) (?:masters?|doctors?|stylists?|barbers?)",
        r"\byour (?:staff|team|masters|doctors|stylists|barbers)\b",
    ),
    Intent.BOOK: (
        r"\bзапис(?:ать|аться|ывай|ываться)\b|\bзапиш|\bзапись\b|\bзаброн|\bброн|\bхо(?:чу|тел\w*|тим)\b",
        r"\bможно (?:ли )?(?:на|к|ко)\b|\bсвободн|\bокошк",
        r"\bbook|\bappointment|\breserve|\bsign me up|\bi(?:'d| would) like|\bi (?:want|need)\b|\bfree (?:slot|time)",
        r"\bavailab",
    ),
    Intent.THANKS: (r"\bспасиб|\bблагодар|\bthank|\bthx\b",),
    Intent.GREETING: (
        r"\bздравст|\bпривет|\bдобр(?:ый|ое|ого|ой)\b|\bсалют\b",
        r"\bhello\b|\bhi\b|\bhey\b|\bgood (?:morning|afternoon|evening|day)",
    ),
    Intent.BYE: (r"\bдо свидания|\bдо встречи|^\W*пока\W*$|\bgoodbye|\bbye\b|\bsee you",),
}
_COMPILED = {intent: re.compile("|".join(patterns)) for intent, patterns in _PATTERNS.items()}
_ANYONE = re.compile(
    r"\bлюб(?:ой|ого|ому|ая|ую|ым)\b(?! день)|\bвсе равно|\bбез разницы|\bне ?важно|\bк кому угодно|\bкто свобод"
    r"|\bany(?:one|body)?\b(?! (?:day|date|time))|\bno preference|\bdoesn'?t matter|\bwhoever\b|\bdon'?t (?:mind|care)"
)
_YES = re.compile(r"^\W*(?:да|ага|угу|ок|окей|хорошо|давайте|конечно|подходит|yes|yeah|yep|ok|okay|sure|please do)\W*$")
_NO = re.compile(
    r"^\W*(?:нет|не надо|не нужно|передумал\w*|no|nope|not now|never ?mind)"
    r"(?:\W+(?:спасибо|не надо|не нужно|пока|thanks|thank you))*\W*$"
)
_QUESTION = re.compile(
    r"\?|^\W*(?:как|где|когда|что|кто|почему|зачем|сколько|можно ли|есть ли|какой|какая)\b"
    r"|^\W*(?:what|how|where|when|why|can|do|does|is|are)\b"
)


def find_intents(text: str) -> list[Intent]:
    """List what a message is about, the most telling first."""
    lowered = plain(text)
    return [intent for intent, pattern in _COMPILED.items() if pattern.search(lowered)]


def says_anyone(text: str) -> bool:
    """Tell whether the client leaves the choice of the person to us."""
    return _ANYONE.search(plain(text)) is not None


def is_yes(text: str) -> bool:
    """Tell whether a whole message is nothing but a yes."""
    return _YES.search(plain(text)) is not None


def is_no(text: str) -> bool:
    """Tell whether a whole message is nothing but a no."""
    return _NO.search(plain(text)) is not None


def is_question(text: str) -> bool:
    """Tell whether something is asked."""
    return _QUESTION.search(plain(text)) is not None
