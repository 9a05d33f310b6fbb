# Words for the telephone: only what is said differently there than it is written, and what happens only in a call.
call-greeting = Hello! You have reached { $company }. I am a digital assistant: I answer questions and book appointments. How can I help?
call-greeting-known = Hello, { $name }! You have reached { $company }, this is the digital assistant. How can I help?
call-recorded = This call is recorded.
call-privacy-notice = To answer and book you, we process your name, number and words.
call-again = Sorry, we were cut off. I am listening.
call-not-reached = I could not reach the administrator. Tell me what to pass on, and they will call you back.
call-one-moment = One moment, let me look.
call-writing = One moment, I am booking it.
call-still-there = Can you hear me?
call-last-question = I cannot hear you. Are you still there?
call-silence-goodbye = I am sorry, I cannot hear you. Please call again when it suits you. Goodbye!
call-not-understood = Sorry, I did not catch that. Could you say it again?
call-goodbye = All the best, goodbye!
call-minute-left = We have one minute left: let us finish what matters most.
call-too-long = Sorry, our time is up. Please call again or write to us. Goodbye!
call-lines-busy = All lines are busy at the moment. Please call again in a couple of minutes.
call-transfer = I am putting you through to the administrator.
call-take-message = The administrator cannot come to the phone now. Tell me what to pass on, and they will call you back.
call-message-taken = Thank you, I have passed it on, they will call you back. Anything else?
call-no-message = All right. Anything else?
call-code-sent = To open your appointments I need to be sure that this is your number. I have sent four digits to your messenger. Please say them, or key them in.
call-code-wrong = Those digits do not match. Please look at the latest message and say them again.
call-code-failed = I could not confirm the number.
call-cannot-prove = To change an appointment I need to be sure that it is yours, and I cannot do that on the phone.
call-options = { $first } or { $second }.
call-option-one = { $first }.
call-or-say = You can also say: { $words }.
name-spelled = { $name }, spelled { $letters }
line-phone = Phone: { $value }
goodbye-words = goodbye|bye|bye bye|thank you goodbye|thanks bye|thanks goodbye|thank you bye|no thanks bye|that's all bye|have a nice day

person-called = I am passing this on to the administrator.
complaint-to-person = I am very sorry that this happened.
health-to-person = Questions of health are answered by a specialist, to be safe.
ask-contact = To book I need your phone number. Please say it, or key it in.
contact-shared = This is my number, I have confirmed it.
line-service = { $value }
line-staff = With { $value }
line-when = { $value }
line-was = Was: { $value }
line-becomes = Will be: { $value }
line-duration = It takes { $value }
line-price = Price: { $value }
line-place = Address: { $value }
line-client = Name: { $value }
proposal-create = Please check.
    { $details }

    Shall I book it?
proposal-move = I am moving the appointment.
    { $details }

    Is that right?
proposal-cancel = I am cancelling the appointment.
    { $details }

    Is that right?
proposal-cancel-visit = This appointment is part of a visit, the whole visit would be cancelled.
    { $details }

    Shall I cancel it?
proposal-declined = All right, nothing is changed. Shall I look for another time?
receipt-created = Done, you are booked: { $details }. We look forward to seeing you! Anything else?
receipt-moved = Done, the appointment is moved: { $details }. Anything else?
receipt-cancelled = The appointment is cancelled: { $details }. Anything else?
already-done = That is done already.
stale-button = Sorry, I did not understand. What would you like?
visit-rejected = I could not book the whole visit, so nothing is booked. I have told the administrator, they will call you back.
visit-booked-in-part = I could not book the whole visit. This is what stands now.
    { $parts }

    The administrator will check and call you back.
visit-cancelled-in-part = I could not cancel the whole visit. This is what stands now.
    { $parts }

    The administrator will check and call you back.
crm-rejected = That did not work. I have told the administrator, they will call you back.
outcome-unknown = I could not make sure that the change went through. The administrator will check and call you back. Please do not book again.
service-by-link = { $service } is booked on our website. { $link ->
   *[other] The administrator can give you the link.
}
booking-link = I have passed your wish on to the administrator, they will call you back. { $link ->
   *[other] You can also book on our website.
}
booking-page = You can book on our website. { $link ->
   *[other] Anything else?
}
prepayment-link = { $service } is booked with a prepayment on our website. { $link ->
   *[other] The administrator can tell you more.
}
model-unavailable = Sorry, I cannot answer properly right now.
model-blocked = I cannot answer that.
only-buttons = For now I can only book you or tell your appointments. Say "book" or "my appointments".
safe-reply = Let me check that with the administrator, to be sure. Anything else?
something-went-wrong = Sorry, something went wrong. The administrator will look into it and call you back.
too-many-messages = Sorry, I cannot keep up. A little slower, please.
flow-no-services = Nothing can be booked right now.
flow-cancelled = All right, I am not booking. Anything else?
my-list = Your appointments:
    { $appointments }
help = I am the digital assistant of { $company }. Tell me what you need: to book, to hear a price, to move or cancel an appointment. For a person, say "administrator".
delete-me-ask = Delete all that I know of you: name, number and our talks? The records in the journal stay.
delete-me-done = Done, all is deleted.
