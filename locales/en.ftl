# What code says (not the model). Short and kind.

money = { $amount } { $currency }
price-range = from { $low } to { $high }
currency-rub = RUB
currency-kzt = KZT
hours = { $count } { $count ->
    [one] hour
   *[other] hours
}
minutes = { $count } { $count ->
    [one] minute
   *[other] minutes
}
yes-words = yes|yes yes|yeah|yep|yup|ok|okay|sure|yes please|yes, please|yes thanks|yes, thanks|yes thank you|yes, thank you|confirm|i confirm|confirmed|go ahead|yes, go ahead|book it|yes, book it|that's right|correct|sounds good|perfect|of course|да|👍|👌|✅|+
no-words = no|nope|no thanks|no, thanks|no thank you|no, thank you|cancel|not now|don't|wrong|нет|👎|-

greeting = Hello! I am the digital assistant of { $company }: I answer questions and make bookings.
help = I am the digital assistant of { $company }. Write in your own words what you need: to book, to ask a price, to move or cancel an appointment. To call a person: /person. Your appointments: /my.
person-called = I have passed your question to the administrator, who will answer you here.
button-share-contact = Share my number
ask-contact = To book you in I need a phone number. Tap “Share my number”, or type it.
ask-contact-foreign = That is not your own number. To see your appointments, please share yours with the button below.
need-proved-phone = To show, move or cancel an appointment I have to be sure that it is yours. Please share your number with the button below.
too-many-open = A number that was only typed can hold one booking. To book again, please share your number with the button below.
ask-name = What is your name?
contact-shared = I have shared my phone number.
command-my = Show my appointments.

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

proposal-create = Please check:
    { $details }

    Shall I book it?
proposal-move = Move the appointment?
    { $details }
proposal-cancel = Cancel the appointment?
    { $details }
proposal-declined = All right, nothing is changed. Tell me if you would like another time.
proposal-expired = More than ten minutes have passed and the time may be gone. Let us check again: when would you like to come?
proposal-changed = The terms have changed in the meantime. Please check once more.
button-yes-create = Yes, book it
button-yes-move = Yes, move it
button-yes-cancel = Yes, cancel it
button-no = No

receipt-created = Done, you are booked.
    { $details }
receipt-moved = Done, the appointment is moved.
    { $details }
receipt-cancelled = The appointment is cancelled.
    { $details }
receipt-unconfirmed-phone = The administrator may call to confirm your number.
already-done = That is done already.
stale-button = This button no longer works. Tell me what you need and I will help.

slot-line = • { $when }, { $staff }
slot-taken = I am sorry, that time has just been taken. I can offer:
    { $times }
slot-taken-none = I am sorry, that time has just been taken, and nothing is free close to it. Which other day would suit you?
appointment-line = • { $when }, { $service }, { $staff }
move-too-late = It is too close to the visit: only the administrator can move it now.
cancel-too-late = It is too close to the visit: only the administrator can cancel it now.

crm-unavailable = I cannot open the schedule at the moment. I have passed your wish to the administrator, who will call you back.
crm-auth-failed = I cannot open the schedule at the moment. I have passed your wish to the administrator, who will call you back.
crm-not-configured = We have no online booking yet: the administrator books. Shall I pass your wish on?
crm-unsupported = I cannot do that, but the administrator can.
crm-rejected = That did not work. I have passed your wish to the administrator, who will answer you.
outcome-unknown = I could not make sure that the change went through. The administrator will check and write to you; please do not book again.
service-by-person = “{ $service }” is booked by the administrator.
service-by-link = “{ $service }” can be booked here: { $link }
prepayment-link = “{ $service }” is booked with a prepayment. You can book and pay here: { $link }
model-unavailable = I am sorry, I cannot answer properly at the moment. I have passed your message to the administrator, who will write to you.
safe-reply = Let me ask the administrator, so that I tell you nothing wrong. How else can I help?
unsupported-attachment = I understand only text so far. Please put it in words.
something-went-wrong = I am sorry, something went wrong with this message. The administrator will look at it and answer you.
too-many-messages = You are writing faster than I can answer. Please wait a minute: I have kept everything you wrote.

comment-source = Booked by the digital assistant AI-Admin
comment-visitor = Visitor: { $visitor }
comment-unconfirmed-phone = The phone number is not confirmed

staff-unnamed-client = A client without a name
staff-call-person = { $kind ->
        [unknown_topic] A question that the company's information does not answer
        [complaint] A complaint
        [health] A question of health
        [asked_for] A client asks for a person
       *[other] A client needs a person
    }: { $client }. { $summary }
staff-late = Running late: { $client }. { $text } Appointment: { $appointment }
staff-note = A message from a client: { $client }. { $text } Appointment: { $appointment }
staff-unconfirmed-booking = A new booking with an unconfirmed number: { $client }, { $when }. Please call.
staff-outcome-unknown = Please check in the CRM whether the change went through, and write to the client: { $client }.
    { $what }
staff-crm-auth = The CRM refuses access ({ $reason }): check the tokens. A client waits for a call: { $client }. Wish: { $wish }
staff-crm-down = The CRM did not answer ({ $reason }). A client waits for a call: { $client }. Wish: { $wish }
staff-prepayment = { $client } wants “{ $service }”, which needs a prepayment: the link was sent.
staff-model-down = The assistant could not answer. A client waits: { $client }. Message: { $wish }
staff-not-delivered = A message did not reach the client, please get in touch: { $client }.
    { $words }
staff-dead-update = A message of a client could not be processed, and they wait for an answer: { $client }.

tool-unknown-slot = I have not shown you that time, or it was long ago. Let us look at the free times again.
tool-unknown-appointment = I have not shown you that appointment. Let us look at your appointments again.
tool-unknown-service = We do not have that service.
tool-other-services = An appointment moves to a time for the same services.
tool-branch-needed = Which branch would suit you?
tool-answers-needed = I need to ask something before booking.
tool-dates-past = That date has passed.
tool-dates-too-far = The schedule is not open that far ahead.
tool-not-found = The schedule does not have that.
