# What code says (not the model). Short and kind.

money = { $amount } { $currency }
price-range = from { $low } to { $high }
currency-rub = RUB
currency-kzt = KZT
currency-usd = USD
currency-eur = EUR
currency-byn = BYN
currency-uzs = UZS
currency-kgs = KGS
currency-uah = UAH
currency-gel = GEL
currency-amd = AMD
hours = { $count } { $count ->
    [one] hour
   *[other] hours
}
minutes = { $count } { $count ->
    [one] minute
   *[other] minutes
}
moment-in-zone = { $moment } ({ $zone } time)
yes-words = yes|yes yes|yeah|yep|yup|ok|okay|sure|yes please|yes thanks|yes thank you|confirm|i confirm|confirmed|go ahead|yes go ahead|that's right|correct|sounds good|perfect|of course|да|👍|👌|✅|+
yes-words-create = book it|yes book it|book me in|yes book me in
yes-words-move = move it|yes move it
yes-words-cancel = cancel it|yes cancel it|yes cancel
no-words = no|nope|no thanks|no thank you|not now|don't|wrong|нет|👎|-
no-words-create = cancel|don't book it
no-words-move = cancel|don't move it|leave it
no-words-cancel = don't cancel|don't cancel it|keep it|leave it

greeting = Hello! I am the digital assistant of { $company }: I answer questions and make bookings.
help = I am the digital assistant of { $company }. Write in your own words what you need: to book, to ask a price, to move or cancel an appointment. Booking by buttons: /book. Your appointments: /my. To call a person: /person. Another language: /language.
person-called = I have passed your question to the administrator, who will answer you here.
complaint-to-person = I am very sorry about this. I have passed your words on to the administrator, who will answer you here.
health-to-person = Questions of health are answered by a specialist, to be sure. I have passed yours on, the answer will come here.
photo-to-person = Thank you for the photo! A specialist will look at it and answer you here: only they can judge price and possibility from a picture. I can book you in already, though.
button-share-contact = Share my number
ask-contact = To book you in I need a phone number. Tap “Share my number”, or type it.
ask-contact-foreign = That is not your own number. To see your appointments, please share yours with the button below.
need-proved-phone = To show, move or cancel an appointment I have to be sure that it is yours. Please share your number with the button below.
too-many-bookings = { $most ->
        [one] You already have a visit ahead, and I do not book more than { $most } by myself.
       *[other] You already have { $most } visits ahead or more, and I do not book beyond that by myself.
    } I can show, move or cancel them. If you need another one, our administrator will help: write or say "administrator".
too-many-open = A number that was only typed can hold one booking. To book again, please share your number with the button below.
ask-name = What is your name?
contact-shared = I have shared my phone number.

line-service = Service: { $value }
line-staff = With: { $value }
line-when = When: { $value }
line-was = Was: { $value }
line-becomes = Becomes: { $value }
line-duration = Takes: { $value }
line-price = Price: { $value }
line-place = Where: { $value }
line-client = Name: { $value }
line-visitor = Visitor: { $value }
line-visit = Visit:
    { $value }
part-line = • { $when }, { $service }, { $staff } ({ $terms })

proposal-create = Please check:
    { $details }

    Shall I book it?
proposal-move = Move the appointment?
    { $details }
proposal-cancel = Cancel the appointment?
    { $details }
proposal-cancel-visit = This appointment is part of a visit. Cancel the whole visit?
    { $details }
proposal-declined = All right, nothing is changed. Tell me if you would like another time.
proposal-expired = More than ten minutes have passed and the time may be gone. Let us check again: when would you like to come?
proposal-changed = The terms have changed in the meantime. Please check once more.
button-yes-create = Yes, book it
button-yes-move = Yes, move it
button-yes-cancel = Yes, cancel it
button-yes-cancel-visit = Yes, cancel the visit
button-only-this = Only this one
button-no = No

receipt-created = Done, you are booked.
    { $details }
receipt-moved = Done, the appointment is moved.
    { $details }
receipt-cancelled = The appointment is cancelled.
    { $details }
receipt-visit-cancelled = The visit is cancelled.
    { $details }
receipt-unconfirmed-phone = The administrator may call to confirm your number.
already-done = That is done already.
stale-button = This button no longer works. Tell me what you need and I will help.

slot-line = • { $when }, { $staff }
slot-taken = I am sorry, that time has just been taken. I can offer:
    { $times }
slot-taken-none = I am sorry, that time has just been taken, and nothing is free close to it. Which other day would suit you?
visit-taken = Unfortunately a part of that time has just been taken, so nothing is booked. I can offer another:
    { $times }
visit-taken-none = Unfortunately a part of that time has just been taken, so nothing is booked, and nothing near it is free. Which other day would suit you?
visit-rejected = The whole visit could not be booked, so nothing is booked. I have passed your wish to the administrator, who will answer you.
visit-not-booked = For now nothing is booked of the visit.
visit-booked-in-part = The whole visit could not be booked. This is what the schedule holds now:
    { $parts }

    The administrator will check and write to you; please do not book again.
visit-cancelled-in-part = The whole visit could not be cancelled. This is what the schedule holds now:
    { $parts }

    The administrator will check and write to you.
part-stands = { $part }: booked
part-not-booked = { $part }: not booked
part-cancelled = { $part }: cancelled
part-unknown = { $part }: could not be found out
appointment-line = • { $when }, { $service }, { $staff }
move-too-late = It is too close to the visit: only the administrator can move it now.
move-visit = This appointment is part of a visit: its appointments follow one another, and I do not move them one by one. To move the visit, cancel it and book a new time, or call the administrator.
cancel-too-late = It is too close to the visit: only the administrator can cancel it now.

crm-unavailable = I cannot open the schedule at the moment. I have passed your wish to the administrator, who will call you back.
crm-auth-failed = I cannot open the schedule at the moment. I have passed your wish to the administrator, who will call you back.
crm-not-configured = We have no online booking yet: the administrator books. Shall I pass your wish on?
crm-unsupported = I cannot do that, but the administrator can.
crm-rejected = That did not work. I have passed your wish to the administrator, who will answer you.
outcome-unknown = I could not make sure that the change went through. The administrator will check and write to you; please do not book again.
crm-visit-cancelled = Hello! The front desk has cancelled your appointment: { $was }, { $service }, { $staff }. If you would like another time, press the button or write to us.
crm-visit-restored = Hello! Your appointment stands again: { $when }, { $service }, { $staff }. { $place }
crm-visit-moved = Hello! The front desk has moved your appointment: it was { $was }, now it is { $when }. { $service }, { $staff }. { $place }. If the time does not suit you, write to us.
crm-visit-other-staff = Hello! Another specialist will see you: { $when }, { $service }, now { $staff }. If that does not suit you, write to us.

waiting-ask = Shall I tell you if a time becomes free: { $wish }?

    { $consent }
waiting-consent = By pressing “Yes, tell me” you agree to get messages from “{ $company }” here, in this chat, about times that have become free. Unless you ask again, at most once a week. You can say no at any moment with the word “stop”.
waiting-yes = Yes, tell me
waiting-refused = All right, I will not write. If you want to look for another time, I am here.
waiting-too-many = { $most ->
        [one] You are waiting for { $most } time already, and I cannot add another.
       *[other] You are waiting for { $most } times already, and I cannot add another.
    } If you need none of them any more, write “stop”, and I will take them all off.
waiting-joined = You are on the waiting list: { $wish }. As soon as a time becomes free I will offer it in turn: whoever asked first comes first.
waiting-days = { $first } – { $last }
waiting-from = from { $time }
waiting-until = until { $time }
waiting-offer = A time that you were waiting for has become free: { $when }, { $service }, { $staff }. { $place }

    We offer it to you first: until { $until }, then to the next in line. It is not reserved: it can be booked online as well, and somebody may take it sooner.
waiting-take = I take it
waiting-pass = Does not suit me
waiting-leave = Stop waiting
waiting-tell-next = Tell me of another
waiting-passed = All right, I will offer it to the next in line. Shall I tell you when another time becomes free?
waiting-offer-over = This time has been offered to the next in line. Shall I tell you when another one becomes free?
waiting-offer-gone = I am sorry, this time has been taken. Shall I tell you when another one becomes free?
waiting-next = All right, I will write as soon as a time that suits you becomes free.
waiting-left = All right, you are off the waiting list.

visit-thanks = Thank you for coming to “{ $company }”! How was it: { $service }? Please rate it from 1 to 5; only the staff will see it.
rating-stars = { $stars } ★
rating-high = Thank you! We are glad that you liked it.
rating-low = We are sorry. Please tell us in one message what was wrong, and I will pass it on to the administrator.
rating-why-passed-on = Thank you for telling us. I have passed it on to the administrator.
rating-known = You have rated this visit already, thank you!
invite-consent = Shall I remind you when it is time to come again? By pressing “Yes, remind me” you agree to get such invitations from “{ $company }” here, in this chat, at most once a week. You can say no at any moment with the word “stop”.
invite-ask-again = The terms have changed, so I have to ask once more.
invite-yes = Yes, remind me
invite-agreed = All right, I will remind you when it is time.
invite-refused = All right, I will not remind you.
invitation = { $weeks ->
        [one] Hello! It has been { $weeks } week since your last visit to “{ $company }” ({ $service }).
       *[other] Hello! It has been { $weeks } weeks since your last visit to “{ $company }” ({ $service }).
    } Shall I book you again?
outreach-stop = Write no more
outreach-stopped = All right, I will not write first any more: no invitations, no free times, no questions after a visit. I will still tell you about your appointments, and answer your messages as ever.
service-by-person = “{ $service }” is booked by the administrator.
service-by-link = “{ $service }” can be booked here: { $link }
booking-link = You can book here: { $link }
    I have told the front desk what you would like.
booking-page = You can book here: { $link }
prepayment-link = “{ $service }” is booked with a prepayment. You can book and pay here: { $link }
model-unavailable = I am sorry, I cannot answer properly at the moment. I have passed your message to the administrator, who will write to you. You can book without me: with the buttons.
model-blocked = I cannot answer this message. I have passed it on to the administrator, who will write to you. If you would like to book, here are the buttons.
only-buttons = I answer by buttons only at the moment: you can book, see, move or cancel your appointments that way. To call the administrator: /person.
staff-budget-soft = This month's cost of the model has reached the soft limit: { $spent } of { $limit } US dollars. The assistant answers as before.
staff-budget-hard = This month's cost of the model has reached the limit: { $spent } of { $limit } US dollars. Until the end of the month clients are answered by buttons only. To change the limit: budget in the company's file.
safe-reply = Let me ask the administrator, so that I tell you nothing wrong. How else can I help?
something-went-wrong = I am sorry, something went wrong with this message. The administrator will look at it and answer you.
too-many-messages = You are writing faster than I can answer. Please wait a minute: I have kept everything you wrote.

comment-source = Booked by the digital assistant AI-Admin
comment-visitor = Visitor: { $visitor }
comment-visit = Part of a visit, also: { $others }
comment-unconfirmed-phone = The phone number is not confirmed

staff-unnamed-client = A client without a name
staff-call-person = { $kind ->
        [unknown_topic] A question that the company's information does not answer
        [complaint] A complaint
        [health] A question of health
        [asked_for] A client asks for a person
        [photo] The client has sent a photo, please look at it in the client's chat
        [paused] The assistant is paused, and the client waits for a person
        [listed_topic] A topic that you asked to be called for
        [failures] The assistant could not answer several times in a row
       *[other] A client needs a person
    }: { $client }. { $summary }
staff-call-message = A message from a call, please call back: { $client }. { $text }
staff-call-dropped = A call was cut off right after a confirmation, and the client may not have heard it. Please call: { $client }.
call-code-message = Code for your call: { $code }. Tell it to the assistant on the phone. If you are not calling now, do nothing and tell it to nobody.
call-summary = Thank you for calling! This is what was done:
staff-late = Running late: { $client }. { $text } Appointment: { $appointment }
staff-note = A message from a client: { $client }. { $text } Appointment: { $appointment }
staff-rating-low = A low rating of a visit: { $stars } of 5. { $client }. Visit: { $visit }
staff-rating-why = To the low rating: { $client }. { $text }
staff-unconfirmed-booking = A new booking with an unconfirmed number: { $client }, { $when }. Please call.
staff-outcome-unknown = Please check in the CRM whether the change went through, and write to the client: { $client }.
    { $what }
staff-visit-in-part = A visit was booked or cancelled only in part. Please check in the CRM and write to the client: { $client }.
    { $parts }
staff-crm-auth = The CRM refuses access ({ $reason }): check the tokens. A client waits for a call: { $client }. Wish: { $wish }
staff-crm-down = The CRM did not answer ({ $reason }). A client waits for a call: { $client }. Wish: { $wish }
staff-booking-link = { $client } would like to book: { $wish }. The booking link was sent; please check that the appointment has appeared.
staff-prepayment = { $client } wants “{ $service }”, which needs a prepayment: the link was sent.
staff-model-down = The assistant could not answer. A client waits: { $client }. Message: { $wish }
staff-not-delivered = A message did not reach the client, please get in touch: { $client }.
    { $words }
staff-too-late = The client wrote more than a day ago, and the messenger takes no more free words for them: { $client }. Please call.
    { $words }
staff-dead-update = A message of a client could not be processed, and they wait for an answer: { $client }.

tool-unknown-slot = I have not shown you that time, or it was long ago. Let us look at the free times again.
tool-unknown-appointment = I have not shown you that appointment. Let us look at your appointments again.
tool-unknown-service = We do not have that service.
tool-other-services = An appointment moves to a time for the same services.
tool-one-record = An appointment moves only to a time at which one master does all of its services in a row.
tool-branch-needed = Which branch would suit you?
tool-answers-needed = I need to ask something before booking.
tool-dates-past = That date has passed.
tool-dates-too-far = The schedule is not open that far ahead.
tool-not-found = The schedule does not have that.
tool-cannot-be-told = There is no waiting list here: offer the nearest free time.

language-name = English
language-ask = Which language do you prefer?
language-chosen = All right, English it is.
button-choose = Choose
menu-book = Book
menu-my = My appointments

command-words-book = book|booking|book now|menu
command-words-my = my appointments|my bookings
command-words-person = human|person|administrator|operator|talk to a person|call a person
command-words-language = language|change language
command-words-help = help|what can you do
command-words-delete = delete my data|erase my data
command-words-stop = stop|unsubscribe|write no more|stop writing to me|do not write to me

flow-branch = Which branch would suit you?
flow-service = What would you like to book?
flow-no-services = Nothing can be booked online at the moment. Tell me what you need, and the administrator will help.
flow-staff = With whom?
flow-anyone = Anyone
flow-day = Which day?
flow-no-days = Nothing is free on these days.
flow-time = Which time suits you?
flow-no-times = Nothing is free on that day any more. Please go back and choose another.
flow-back = Back
flow-cancel = Cancel
flow-tell-me = Tell me if one frees
flow-later = Later
flow-sooner = Earlier
flow-cancelled = All right, nothing is booked. I am here if you need me.
flow-gone = That is no longer there. Let us choose from what there is now.
flow-choose-again = Let us go on from here.
my-none = You have no appointments ahead.
my-list = Your appointments:
    { $appointments }

    Choose one to move or cancel it.
my-move = Move
my-cancel = Cancel it

reminder = Hello! A reminder of your appointment: { $visit }. { $place }. Will you come?
reminder-confirmed = Hello! We look forward to seeing you: { $visit }. { $place }. If your plans have changed, tap a button or write to us.
reminder-coming = I'll come
reminder-move = Move it
reminder-cancel = Cancel it
reminder-coming-words = i'll come|i will come|yes i'll come|yes i will come|i'll be there|i will be there|yes i'll be there|yes i will be there|we'll be there|we will be there|see you there|coming|yes coming
reminder-thanks = Thank you, we look forward to seeing you: { $when }.
reminder-gone = This appointment is no longer there, or its time has passed. To book again, tap the button or write to us.
reminder-moved = This reminder was about an earlier time. You are booked for another one now: { $when }.

delete-me-ask = Shall I delete all that I know of you: your name, your number and our conversation? Appointments in the salon's journal stay: the administrator changes those.
delete-me-yes = Yes, delete
delete-me-kept = All right, nothing is deleted.
delete-me-done = Done: your name, number and conversation are deleted. If you write again, we start anew.
staff-delete-me = A client asked to have their data deleted: { $client }. The assistant has deleted them; please see to the card in the CRM.

attachment-location = Thank you! You find us here: { $place }. How can I help?
attachment-sticker = 🙂 How can I help?
attachment-video = I cannot watch videos. Please put it in words, or send a photo.
attachment-document = I cannot open files. Please put it in words, or send a photo.
attachment-contact = Thank you for the contact. How can I help?
attachment-other = I cannot read a message of this kind. Please put it in words.
media-too-large = That is too long or too large for me. Please send something shorter, or put it in words.
media-unavailable = I could not open what you sent. Please send it again, or put it in words.
voice-not-understood = I could not make out the words. Please say it again, or type it.
words-edited = Correcting my message: { $words }
words-with-quote = In reply to “{ $quoted }”: { $words }

bot-command-book = Book with buttons
bot-command-my = My appointments
bot-command-person = Call a person
bot-command-language = Change the language
bot-command-help = What I can do
bot-command-stop = Write nothing unasked
bot-command-delete-me = Delete my data
bot-description = I am the digital assistant of { $company }. I answer questions, find a time and book you in. Write what you need.
bot-short-description = The digital assistant of { $company }: answers and bookings

report-title = How the assistant does: { $company }
report-simulated = A script answered, not a model: this proves the tools and the guards, and says nothing of how well a model does.
report-model = Answered by: { $model }
report-pass = Passed { $k ->
        [1] at the first try
       *[other] all { $k } times
    }
report-scenarios = Scenarios
report-model-calls = Model calls
report-tokens = Tokens in / out
report-passed = Passed
report-failed = Failed
report-of = { $passed } of { $runs }
report-run = Conversation { $number }: { $turns } turns, { $calls } model calls, { $seconds } s
report-anyone = Master
report-fault = { $kind ->
        [no_appointment] No appointment: { $what }
        [too_many] An appointment too many: { $what }
        [touched] Somebody else's appointment was touched: { $what }
        [not_called] No person was called: { $what }
        [called] A person was called: { $what }
        [never_said] Never said: { $what }
        [said] Said: { $what }
        [no_button] There was no button: { $what }
        [not_done] The client was not done, messages: { $what }
        [client_failed] The model that plays the client failed: { $what }
       *[no_answer] The assistant did not answer
    }

privacy-notice = To answer and book you, { $operator } processes your name, number and messages. You can have them deleted by /delete_me.
privacy-notice-with-policy = To answer and book you, { $operator } processes your name, number and messages ({ $url }). You can have them deleted by /delete_me.
act-title = ACT of destruction of personal data No. { $id }
act-log-title = EXTRACT of the event log of the personal data information system (to act No. { $id })
act-operator = Operator (name, address): { $value }
act-processor = Processor on the operator's behalf: { $value }
act-subject = Data subject: { $value }
act-categories = Categories of destroyed personal data: { $value }
act-system = Personal data information system: { $value }
act-method = Method: records deleted from the PostgreSQL database and keys from Redis
act-reason = Reason: { $value }
act-reason-request = request of the data subject (consent withdrawn)
act-reason-purpose = the purpose of processing is reached or over
act-reason-unlawful = unlawful processing
act-date = Date of destruction: { $value }
act-kept-in-crm = Not destroyed by this act, kept in the operator's CRM ({ $crm }), records: { $value }
act-erased-by = Destroyed by (name, position): { $value }
act-signature = Signature: { $value }
act-signed-by-system = The act's file is signed by the system (Ed25519), key { $name }.
act-category-contacts = name, telephone number, identifier in the messenger
act-category-correspondence = correspondence and what was said
act-category-received = messages and attachments as the messenger sent them
act-category-notes = notes on earlier talks and visits
act-category-bookings = details of bookings
act-category-calls = details of telephone calls
act-category-technical = technical records of how requests were handled
agent-again = All right, I am with you again. How can I help?
button-agent-again = Go on with the assistant
person-not-yet = Nobody at the desk has been able to answer yet; we have reminded them of you. You can wait here, or go on with me.
staff-agent-silenced = Not sent to the client, because a person has answered:
    { $words }
staff-agent-answers-already = The assistant answers this client already.
staff-back-where = /back works in a client's topic, or as a reply to their message.
staff-client-waits = The client is waiting for a person.
staff-client-waits-owner = { $client } has been waiting for long, and the staff have not answered. Reply to this message, and the client gets your words.
staff-code-unknown = This code did not fit: it counts for a day, and once. Ask for a new one.
staff-enrol-in-private = To come in by a code, open the private chat with the bot by its link.
staff-enrolled = { $name }, you are on the staff of “{ $company }”{ $role ->
        [owner] { " " }as an owner
        [administrator] { " " }as an administrator
       *[master] { " " }as a master
    }.
staff-crm-comment = The client was answered by a comment on the visit in the CRM: “{ $words }”. The assistant is silent until the client is handed back to it.
staff-handed-back = The client talks to the assistant again.
staff-handed-back-by = { $name }: the client is with the assistant again.
staff-handed-back-by-silence = Nobody has answered for long: the assistant answers the client again.
staff-mirror-agent = 🤖 { $text }
staff-mirror-client = 👤 { $name }: { $text }
staff-mirror-person = 💬 { $text }
staff-mirror-file = { $kind ->
        [voice] [voice note]
        [image] [photo]
        [video] [video]
        [document] [file]
        [location] [place on the map]
        [contact] [contact]
        [sticker] [sticker]
       *[other] [attachment]
    }
staff-not-enrolled = You are not on the list of the staff, so the client will not get this. Ask the owner for a code.
staff-topic-opened = { $client }
    Writes in { $channel ->
        [telegram] Telegram
        [whatsapp] WhatsApp
       *[other] a messenger
    }. The client gets what you write here. /back gives them back to the assistant.
staff-unknown-command = There is no such command here.
file-not-carried = The file could not be passed on: it is too large, or not there any more.
staff-cannot-carry = This cannot be passed on to the client; words, photos, voice notes, videos and files can.
button-draft-send = Send
button-draft-drop = Do not send
staff-draft = Draft of an answer:

    { $text }
staff-draft-sent = { $name }: sent to the client.
staff-draft-dropped = { $name }: the draft was not sent. Answer the client yourself.
staff-draft-settled = This draft is settled: it was sent, or not to be sent, or the client has written again.

agent-paused = Somebody at the desk will answer you: I have passed your message on.
staff-paused = The assistant is paused for the whole company. A person answers the clients: their messages come here. To let it answer again: /resume
staff-paused-by = { $by }: the assistant is paused for the whole company. A person answers the clients. To let it answer again: /resume
staff-paused-already = The assistant is paused already ({ $by }). To let it answer again: /resume
staff-is-paused = ⏸ The assistant is paused: { $when } ({ $by }). A person answers the clients. To let it answer again: /resume
staff-resumed = The assistant answers the clients again. Dialogues that wait for a person are still yours: /back in a client's topic gives them back to the assistant.
staff-resumed-by = { $by }: the assistant answers the clients again. Dialogues that wait for a person are still yours.
staff-not-paused = The assistant answers the clients already.
staff-not-allowed = Your role does not allow this. Ask the owner.
staff-stale-button = This button does nothing any more.
staff-today-counts = The assistant booked { $booked }, moved { $moved }, cancelled { $cancelled }
staff-today-line = { $kind ->
        [create] ➕
        [move] 🔁
       *[cancel] ➖
    } { $when }, { $service }, { $staff }. { $client }
staff-nobody-waits = Nobody waits for a person.
staff-waiting = Waiting for a person: { $count }
staff-waiting-line = • { $client }: { $length }
staff-and-more = … and { $count } more
staff-phones-in-private = Whole numbers: /today in the private chat with the bot.
staff-note-usage = Write the note after the command: /note On Saturday we close at 18:00
staff-note-too-long = The note is too long: at most { $most } characters.
staff-note-too-many-wait = Too many notes wait for the owner. The list: /notes
staff-note-too-many = { $most } notes are in force already, and no more may be. Take some back (/undo), or write them into the company's instructions.
staff-note-proposed = A note for the assistant: “{ $text }” ({ $by }). It counts once the owner presses the button.
staff-note-admit = Let it count
staff-note-refuse = Not needed
staff-note-owner-decides = The owner decides this.
staff-note-decided = Decided already: { $state ->
        [in_force] the note counts
       *[undone] the note does not count
    } ({ $by }).
staff-note-in-force = The note counts: “{ $text }”. To take it back: /undo
staff-note-refused = The note does not count: “{ $text }”.
staff-notes = Notes for the assistant:
staff-notes-none = There are no notes. To add one: /note and the text.
staff-note-line = { $state ->
        [in_force] ✅
       *[proposed] ⏳ (waits for the owner)
    } “{ $text }”. { $by }, { $when }
staff-undone = The note is taken back: “{ $text }”.
staff-undo-none = There is nothing to take back.
staff-late-gap = After this appointment the specialist is free for { $length } (until { $until }), by the CRM's schedule.
staff-late-no-gap = Right after this appointment the specialist has no free time.
staff-late-gap-unknown = How much time the specialist has after it, the CRM does not say.
staff-late-next = The specialist's next appointment, of those that the assistant made: { $time }.
staff-late-wait = We wait
staff-late-shorten = We shorten it
staff-late-move = Move it
staff-late-answered-already = This was answered already: “{ $answer }”.
staff-late-told = { $by }: the client was told ({ $client }): “{ $words }”
late-wait = The front desk has answered: they are waiting for you.
late-shorten = The front desk has answered: they are waiting for you, but there will be less time, and the service will have to be shortened.
late-move = The front desk has answered: at this time you cannot be received today any more, and the appointment has to be moved. Press the button and we will find another time.
staff-phone = Show the number
staff-phone-sent = { $name }, the number was sent to your private chat.
staff-no-phone = The assistant has no number of this client.

# The staff's web console
console-pages = Pages
console-dialogues = Dialogues
console-day = Day
console-figures = Statistics
console-settings = Settings
console-account = Who is signed in
console-role-owner = owner
console-role-administrator = administrator
console-role-master = master
console-sign-out = Sign out
console-home = To the first page
console-back = Back
console-yes = yes
console-no = no
console-as-usual = as is usual for the language
console-door-title = For staff
console-door-how = Write /console to the company's bot in a private chat. It sends you a link.
console-door-who = Only those whom the owner has added get one. It works once, within ten minutes.
console-enter = Sign in
console-enter-as = You are signing in as { $name }.
console-enter-hint = If that is not you, just close this page.
console-link = Your way into the console (it works once, within { $minutes ->
        [one] { $minutes } minute
       *[other] { $minutes } minutes
    }; do not pass it on):
    { $url }
console-link-in-private = The bot sends the link to the console in a private chat only: write /console to it there.
console-link-unknown = This link did not work: it lasts ten minutes and opens the console once. Ask the bot for a new one: /console.
console-staff-took-over = { $name } answers this client from the console.
console-fault-unreadable = This request could not be read.
console-fault-sign-in = Please sign in.
console-fault-forbidden = This page or action is not yours. If you were filling in a form, open the page again and try once more.
console-fault-not-found = There is no such page.
console-fault-too-large = This request is too large.
console-fault-too-many = Too many tries. Please wait a minute.
console-fault-unavailable = Nothing can be saved at the moment. Please try again in a few seconds.
console-show-all = All
console-show-waiting = Waiting for a person
console-no-dialogues-all = No dialogues yet.
console-no-dialogues-waiting = Nobody is waiting.
console-we = Us:
console-waits = waits for a person
console-waits-since = waiting since { $at }
console-person-answers = a person answers
console-agent-answers = the assistant answers
console-unreachable = messages do not reach this client
console-paused = The assistant is paused: staff answer the clients.
console-channel-telegram = Telegram
console-channel-whatsapp = WhatsApp
console-channel-voice = phone call
console-channel-api = own channel
console-channel-example = example
console-by-client = client
console-by-agent = assistant
console-by-person = staff
console-by-system = system
console-nothing-said = Nothing has been said here yet.
console-asked-for = Asked for
console-was-told = Was told
console-show-phone = Show the number
console-no-phone = The number is not known.
console-draft = the assistant's draft: the client has not seen it
console-draft-drop = Do not send
console-take-over = Take over
console-hand-back = Back to the assistant
console-looked-at = Done with it
console-answer = Answer to the client
console-answer-hint = Answer to the client. The assistant will be silent.
console-send = Send
console-cannot-answer = A client of this channel cannot be written to from here.
console-today = Today
console-day-before = The day before
console-day-after = The day after
console-no-visits = No appointments made through the assistant.
console-day-empty = No appointments.
console-asking-crm = Asking the CRM…
console-crm-stands = the same in the CRM
console-crm-cancelled = cancelled in the CRM
console-crm-moved = moved in the CRM: { $when }
console-crm-staff = another master in the CRM: { $name }
console-crm-silent = the CRM did not answer; this is what we know
console-crm-by-staff = in the CRM, not by the assistant
console-day-silent = The CRM did not answer: only the assistant's appointments are shown.
console-day-cannot = Only the assistant's appointments are shown: it cannot see the others in this CRM.
console-cancelled = cancelled
console-phone-typed = number not confirmed
console-to-dialogue = Dialogue
console-days = { $count ->
        [one] { $count } day
       *[other] { $count } days
    }
console-seconds = { $count } s
console-figures-of-all = Figures of the whole company. Days go by the first branch's clock, the model's cost by UTC.
console-figure-messages = Messages of clients
console-figure-dialogues = Dialogues
console-figure-booked = Booked
console-figure-moved = Moved
console-figure-cancelled = Cancelled
console-figure-handed = Handed to people
console-figure-answer-half = Half of the answers within
console-figure-answer-most = 95% of the answers within
console-figure-writes = Success of writes to the CRM
console-figure-drafts = Drafts
console-figure-drafts-unchanged = Sent unchanged
console-figure-drafts-edited = Said in other words
console-figure-drafts-dropped = Thrown away
console-figure-cost = Cost of the model
console-plot-messages = Messages of clients a day
console-plot-bookings = Bookings by the assistant a day
console-plot-answers = Answer time, seconds
console-plot-handed = Dialogues handed to people, %
console-plot-drafts = What became of drafts, a day
console-plot-cost = Cost of the model a day, US dollars
console-saved = Saved. The assistant answers by it already.
console-save = Save
console-settings-agent = Assistant
console-settings-people = When people answer
console-field-mode = When the assistant answers
console-field-people-answer-minutes = Minutes that staff have before the assistant answers
console-field-people-ring-minutes = Minutes of waiting after which staff are rung again
console-field-people-hand-back-hours = Hours of silence after which a client goes back to the assistant
console-field-people-topics = Topics that always bring in a person (one a line)
console-mode-always = always
console-mode-if-unanswered = if staff have not answered
console-mode-off-hours = out of working hours
console-mode-draft = only writes drafts
console-fault-of-mode = One of the four.
console-fault-of-people-answer-minutes = A whole number of minutes from 1 to 240.
console-fault-of-people-ring-minutes = A whole number of minutes from 1 to 240.
console-fault-of-people-hand-back-hours = A whole number of hours from 1 to 72.
console-fault-of-people-topics = At most 50 lines of up to 200 characters.
console-settings-outreach = What the assistant writes by itself
console-field-reminders = Remind of a visit ahead by (24h, 2h; off where the CRM reminds; empty: not decided)
console-field-quiet-hours = When clients are not written to (by their clock)
console-field-outreach-waiting-list = Waiting list
console-field-outreach-thank-you = Thank after a visit and ask for a rating
console-field-outreach-thank-you-after-hours = Hours after the visit
console-field-outreach-win-back-weeks = Weeks after which to invite again (empty: never)
console-fault-of-reminders = For example 24h, 2h. From 45m to 7d, three at most. Or off.
console-fault-of-quiet-hours = For example 21:00-9:00.
console-fault-of-outreach-waiting-list = Yes or no.
console-fault-of-outreach-thank-you = Yes or no.
console-fault-of-outreach-thank-you-after-hours = A whole number of hours from 1 to 12.
console-fault-of-outreach-win-back-weeks = A whole number of weeks, or nothing.
console-settings-privacy = Clients' data
console-settings-crm = CRM
console-settings-changed = Somebody else changed the settings while you were editing. Copy your text, open the page again and make your changes once more.
console-settings-faults = Not saved: please correct the marked fields.
console-field-description = About the company
console-field-highlights = What you are good at
console-field-target-audience = Your clients
console-field-instructions = Instructions to the assistant
console-field-language = The company's language
console-field-quiet-seconds = How many seconds to wait for the rest of what a client types
console-field-most-open-bookings = How many appointments ahead one client may hold
console-field-tell-clients-of-crm-changes = Tell clients when their appointment is changed in the CRM
console-field-privacy-operator = Who answers for the data (name and address)
console-field-privacy-policy-url = Link to the privacy policy
console-field-privacy-notice = Say at first contact that data is processed
console-field-privacy-notice-text = Your own words for it
console-field-privacy-hide-from-model = Hide clients' names and numbers from the model
console-field-privacy-keep-days-texts = Days to keep conversations
console-field-privacy-keep-days-media = Days to keep pictures and voice notes
console-field-privacy-keep-days-summaries = Days to keep notes on earlier contacts
console-field-privacy-keep-days-clients = Days of silence after which a client is forgotten
console-fault-of-description = At most 4000 characters.
console-fault-of-highlights = At most 4000 characters.
console-fault-of-target-audience = At most 4000 characters.
console-fault-of-instructions = At most 20,000 characters.
console-fault-of-language = There is no such language.
console-fault-of-quiet-seconds = A number from 0 to 30.
console-fault-of-most-open-bookings = A whole number from 1 to 100.
console-fault-of-tell-clients-of-crm-changes = Yes or no.
console-fault-of-privacy-operator = At most 4000 characters.
console-fault-of-privacy-policy-url = An address that begins with https://
console-fault-of-privacy-notice = Yes, no, or as usual.
console-fault-of-privacy-notice-text = At most 700 characters.
console-fault-of-privacy-hide-from-model = Yes, no, or as usual.
console-fault-of-privacy-keep-days-texts = A whole number of days from 1 to 3650.
console-fault-of-privacy-keep-days-media = A whole number of days from 1 to 3650.
console-fault-of-privacy-keep-days-summaries = A whole number of days from 1 to 3650.
console-fault-of-privacy-keep-days-clients = A whole number of days from 1 to 3650.
console-language-ru = Russian
console-language-en = English
console-language-kk = Kazakh
console-crm-type = System
console-crm-none = No CRM is connected.
console-crm-how = The platform's administrator connects and changes the CRM: ai-admin crm set.
console-ask-title = Ask your assistant
console-ask-hint = The real assistant answers by what stands in the form now, saved or not. No appointment is made, and no staff are called.
console-ask-label = A question, as a client would put it
console-ask-example = How much is a haircut?
console-ask = Ask
console-ask-thinks = Thinking…
console-ask-silent = No answer came within half a minute. The worker may not be running.
console-ask-no-words = The assistant said nothing.
console-ask-faults = Please correct these fields first: { $fields }.
console-ask-contact = Here a client sees the button "{ $label }". The number can be written in words.
preview-not-carried-out = This is a preview: the appointment would be made here, but nothing has been changed.
words-today = today
words-tomorrow = tomorrow
sick-usage = Write who, and which day: /sick Anna 25.11 (or “today”, “tomorrow”).
sick-which = Who exactly: { $masters }? Write the whole name.
sick-none = The assistant made no appointments with { $master } for { $day }. The others are in the CRM.
sick-free = { $master } has no appointments for { $day }.
sick-head = { $master }{ $place }, { $day }: { $count } appointments
sick-line = { $time }, { $service }. { $client }{ $standing ->
        [listed] { "" }
        [asked] { " " }⏳ asked, no answer yet
        [answered] { " " }💬 has written, and chooses
        [moved] { " " }✅ moved: { $now }
        [again] { " " }✅ has booked again
        [cancelled] { " " }➖ cancelled
       *[phone] { " " }📞 to be phoned
    }
sick-crm-silent = The CRM did not answer: only the assistant's appointments are shown. The others are in the CRM.
sick-crm-cannot = Only the assistant's appointments are shown: it cannot see the others in this CRM.
sick-propose = Close the specialist's day in the CRM, so that nobody books it any more. Offer the clients another specialist or another time?
sick-phone-them = The assistant cannot write to these clients: phone them. Close the specialist's day in the CRM, so that nobody books it any more.
sick-cancelled-in-crm = These appointments were cancelled in the CRM one after the other: it looks as if the specialist does not work. Offer the clients another specialist or another time?
sick-approved = The clients were offered something else ({ $by }). To be phoned: { $count }. An appointment stays until the client has chosen.
sick-approved-already = The clients of this day were offered something else already ({ $by }).
sick-decided-already = Decided already ({ $by }).
sick-approve = Offer it to the clients
sick-drop = Not needed
sick-phones = Whom to phone
sick-dropped = { $by }: the clients are offered nothing.
sick-asking = { $by }: clients asked: { $count }. The list above follows.
sick-nobody-to-phone = Nobody has to be phoned.
sick-offer = Hello! { $staff } cannot receive you: { $when }, { $service }. { $place }. We are sorry. The appointment stays until you have chosen:
sick-offer-again = Your appointment is cancelled: { $when }, { $service }, { $staff }. { $place }. We can offer instead:
sick-same = The same time with another specialist
sick-other = Another time
sick-nobody-then = At that time the other specialists are busy. Let us find another time.
staff-command-today = What the assistant did today, and who waits
staff-command-back = Give the client back to the assistant (in their topic)
staff-command-pause = Stop the assistant for the whole company
staff-command-resume = Let the assistant answer again
staff-command-note = Add a note to the assistant's instructions
staff-command-notes = Which notes count
staff-command-undo = Take the last note back
staff-command-sick = A specialist cannot come: offer their clients something else
