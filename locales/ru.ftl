# Тексты, которые говорит код (а не модель). Обращение на «вы», коротко и по-доброму.

money = { $amount } { $currency }
price-range = от { $low } до { $high }
currency-rub = руб.
currency-kzt = тг
currency-usd = долл.
currency-eur = евро
currency-byn = бел. руб.
currency-uzs = сум
currency-kgs = сом
currency-uah = грн
currency-gel = лари
currency-amd = драм
hours = { $count } { $count ->
    [one] час
    [few] часа
   *[many] часов
}
minutes = { $count } { $count ->
    [one] минута
    [few] минуты
   *[many] минут
}
moment-in-zone = { $moment } (по времени: { $zone })
yes-words = да|да да|ага|угу|ок|окей|ok|okay|yes|хорошо|отлично|давайте|давай|да давайте|подтверждаю|да подтверждаю|согласна|согласен|верно|да верно|все верно|да все верно|да спасибо|да пожалуйста|подходит|да подходит|конечно|да конечно|👍|👌|✅|+
yes-words-create = записывайте|запишите|да записывайте|да запишите
yes-words-move = переносите|перенесите|да переносите|да перенесите
yes-words-cancel = отменяйте|отмените|отменить|да отменяйте|да отмените|да отменить
no-words = нет|не надо|не нужно|нет спасибо|не подтверждаю|неверно|не подходит|передумала|передумал|пока нет|👎|-
no-words-create = отмена|отменить|не записывайте
no-words-move = отмена|отменить|не переносите|оставьте как есть
no-words-cancel = не отменяйте|оставьте|оставьте как есть

greeting = Здравствуйте! Я цифровой помощник «{ $company }»: отвечу на вопросы и запишу вас.
help = Я цифровой помощник «{ $company }». Напишите своими словами, что вам нужно: записаться, узнать цену, перенести или отменить запись. Записаться кнопками: /book. Ваши записи: /my. Позвать человека: /person. Сменить язык: /language.
person-called = Передал ваш вопрос администратору, он ответит вам здесь.
complaint-to-person = Мне очень жаль, что так вышло. Уже передал ваши слова администратору, он ответит вам здесь.
health-to-person = На вопросы о здоровье отвечает специалист, чтобы не ошибиться. Я передал ему ваш вопрос, ответ придёт сюда.
photo-to-person = Спасибо за фото! Его посмотрит специалист и ответит вам здесь: по снимку цену и возможность оценивает только он. А записать вас могу уже сейчас.
button-share-contact = Поделиться номером
ask-contact = Чтобы записать вас, нужен номер телефона. Нажмите кнопку «Поделиться номером» или напишите его сообщением.
ask-contact-foreign = Это не ваш номер. Чтобы показать ваши записи, поделитесь своим: кнопка ниже.
need-proved-phone = Чтобы показать, перенести или отменить запись, нужно убедиться, что она ваша. Поделитесь своим номером: кнопка ниже.
too-many-bookings = { $most ->
        [one] У вас впереди уже { $most } запись, больше сразу я сам не оформляю.
        [few] У вас впереди уже { $most } записи, больше сразу я сам не оформляю.
       *[other] У вас впереди уже { $most } записей, больше сразу я сам не оформляю.
    } Могу показать их, перенести или отменить. Если нужно ещё, поможет администратор: напишите или скажите «администратор».
too-many-open = По номеру, написанному сообщением, можно держать одну запись. Чтобы записаться ещё раз, поделитесь номером кнопкой ниже.
ask-name = Как вас зовут?
contact-shared = Я поделился номером телефона.

line-service = Услуга: { $value }
line-staff = Мастер: { $value }
line-when = Когда: { $value }
line-was = Было: { $value }
line-becomes = Станет: { $value }
line-duration = Длительность: { $value }
line-price = Стоимость: { $value }
line-place = Где: { $value }
line-client = Имя: { $value }
line-visitor = Придёт: { $value }
line-visit = Визит:
    { $value }
part-line = • { $when }, { $service }, { $staff } ({ $terms })

proposal-create = Проверьте, пожалуйста:
    { $details }

    Записать вас?
proposal-move = Перенести запись?
    { $details }
proposal-cancel = Отменить запись?
    { $details }
proposal-cancel-visit = Эта запись часть визита. Отменить весь визит?
    { $details }
proposal-declined = Хорошо, ничего не меняю. Если подобрать другое время, напишите.
proposal-expired = Прошло больше десяти минут, и время могли занять. Давайте проверим ещё раз: на когда вас записать?
proposal-changed = Пока мы говорили, условия изменились. Проверьте, пожалуйста, ещё раз.
button-yes-create = Да, записать
button-yes-move = Да, перенести
button-yes-cancel = Да, отменить запись
button-yes-cancel-visit = Да, отменить визит
button-only-this = Только эту запись
button-no = Нет

receipt-created = Готово, вы записаны.
    { $details }
receipt-moved = Готово, запись перенесена.
    { $details }
receipt-cancelled = Запись отменена.
    { $details }
receipt-visit-cancelled = Визит отменён.
    { $details }
receipt-unconfirmed-phone = Администратор может позвонить, чтобы подтвердить номер.
already-done = Это уже сделано.
stale-button = Эта кнопка уже не действует. Напишите, что вам нужно, и я помогу.

slot-line = • { $when }, { $staff }
slot-taken = К сожалению, это время только что заняли. Могу предложить другое:
    { $times }
slot-taken-none = К сожалению, это время только что заняли, а рядом свободного нет. Какой другой день вам удобен?
visit-taken = К сожалению, часть этого времени только что заняли, поэтому ничего не записано. Могу предложить другое:
    { $times }
visit-taken-none = К сожалению, часть этого времени только что заняли, поэтому ничего не записано, а рядом свободного нет. Какой другой день вам удобен?
visit-rejected = Записать на весь визит не получилось, поэтому ничего не записано. Я передал вашу просьбу администратору, он ответит вам.
visit-not-booked = Из визита пока ничего не записано.
visit-booked-in-part = Записать на весь визит не получилось. Вот что в расписании сейчас:
    { $parts }

    Администратор проверит и напишет вам; пожалуйста, не записывайтесь повторно.
visit-cancelled-in-part = Отменить весь визит не получилось. Вот что в расписании сейчас:
    { $parts }

    Администратор проверит и напишет вам.
part-stands = { $part }: записано
part-not-booked = { $part }: не записано
part-cancelled = { $part }: отменено
part-unknown = { $part }: не удалось узнать
appointment-line = • { $when }, { $service }, { $staff }
move-too-late = До визита осталось слишком мало времени: перенести запись может только администратор.
move-visit = Эта запись часть визита: его записи идут одна за другой, и по отдельности я их не переношу. Чтобы перенести визит, отмените его и запишитесь на новое время или позовите администратора.
cancel-too-late = До визита осталось слишком мало времени: отменить запись может только администратор.

crm-unavailable = Сейчас не получается открыть расписание. Я передал вашу просьбу администратору, вам перезвонят.
crm-auth-failed = Сейчас не получается открыть расписание. Я передал вашу просьбу администратору, вам перезвонят.
crm-not-configured = Онлайн-записи у нас пока нет: записать может администратор. Передать ему вашу просьбу?
crm-unsupported = Этого я сделать не могу, но поможет администратор.
crm-rejected = Не получилось это сделать. Я передал вашу просьбу администратору, он ответит вам.
outcome-unknown = Не удалось убедиться, что изменение прошло. Администратор проверит и напишет вам; пожалуйста, не записывайтесь повторно.
crm-visit-cancelled = Здравствуйте! Администратор отменил вашу запись: { $was }, { $service }, { $staff }. Если хотите записаться на другое время, нажмите кнопку или напишите.
crm-visit-restored = Здравствуйте! Ваша запись снова в силе: { $when }, { $service }, { $staff }. { $place }
crm-visit-moved = Здравствуйте! Администратор перенёс вашу запись: было { $was }, теперь { $when }. { $service }, { $staff }. { $place }. Если время не подходит, напишите.
crm-visit-other-staff = Здравствуйте! В вашей записи изменился мастер: { $when }, { $service }, теперь { $staff }. Если это не подходит, напишите.

waiting-ask = Сообщить вам, если освободится время: { $wish }?

    { $consent }
waiting-consent = Нажимая «Да, сообщите», вы соглашаетесь получать от «{ $company }» сообщения здесь, в этом чате, о времени, которое освободилось. Без новой просьбы это не чаще раза в неделю. Отказаться можно в любой момент словом «стоп».
waiting-yes = Да, сообщите
waiting-refused = Хорошо, писать не буду. Если захотите подобрать другое время, я здесь.
waiting-too-many = { $most ->
        [one] Вы уже ждёте { $most } время, больше сразу записать в лист ожидания не могу.
        [few] Вы уже ждёте { $most } времени, больше сразу записать в лист ожидания не могу.
       *[other] Вы уже ждёте { $most } времён, больше сразу записать в лист ожидания не могу.
    } Если какое-то больше не нужно, напишите «стоп», и я уберу все.
waiting-joined = Внёс вас в лист ожидания: { $wish }. Как только время освободится, предложу его по очереди: тем, кто попросил раньше, первым.
waiting-days = { $first } – { $last }
waiting-from = с { $time }
waiting-until = до { $time }
waiting-offer = Освободилось время, которого вы ждали: { $when }, { $service }, { $staff }. { $place }

    Сначала предлагаем его вам: до { $until }, потом следующему в очереди. Это ещё не бронь: время видно и в онлайн-записи, его могут занять раньше.
waiting-take = Беру
waiting-pass = Не подходит
waiting-leave = Больше не ждать
waiting-tell-next = Сообщите о другом
waiting-passed = Хорошо, предложу его следующему. Сообщить вам, когда освободится другое?
waiting-offer-over = Это время уже предложили следующему в очереди. Сообщить вам, когда освободится другое?
waiting-offer-gone = К сожалению, это время уже заняли. Сообщить вам, когда освободится другое?
waiting-next = Хорошо, как только освободится подходящее время, напишу.
waiting-left = Хорошо, убрал вас из листа ожидания.

visit-thanks = Спасибо, что были у нас в «{ $company }»! Как вам: { $service }? Поставьте, пожалуйста, оценку от 1 до 5, её увидят только сотрудники.
rating-stars = { $stars } ★
rating-high = Спасибо! Очень рады, что вам понравилось.
rating-low = Очень жаль. Расскажите, пожалуйста, одним сообщением, что было не так: я передам администратору.
rating-why-passed-on = Спасибо, что рассказали. Передал администратору.
rating-known = Вы уже оценили этот визит, спасибо!
invite-consent = Напоминать вам, когда пора прийти снова? Нажимая «Да, напоминайте», вы соглашаетесь получать такие приглашения от «{ $company }» здесь, в этом чате, не чаще раза в неделю. Отказаться можно в любой момент словом «стоп».
invite-ask-again = Условия изменились, поэтому спрошу ещё раз.
invite-yes = Да, напоминайте
invite-agreed = Хорошо, напомню, когда подойдёт время.
invite-refused = Хорошо, напоминать не буду.
invitation = { $weeks ->
        [one] Здравствуйте! Прошла { $weeks } неделя с вашего последнего визита в «{ $company }» ({ $service }).
        [few] Здравствуйте! Прошло { $weeks } недели с вашего последнего визита в «{ $company }» ({ $service }).
       *[other] Здравствуйте! Прошло { $weeks } недель с вашего последнего визита в «{ $company }» ({ $service }).
    } Записать вас снова?
outreach-stop = Больше не писать
outreach-stopped = Хорошо, первым больше не напишу: ни приглашений, ни свободного времени, ни вопросов после визита. О ваших записях сообщать буду, и на сообщения отвечу как всегда.
service-by-person = На услугу «{ $service }» записывает администратор.
service-by-link = На услугу «{ $service }» можно записаться по ссылке: { $link }
booking-link = Записаться можно по ссылке: { $link }
    Ваше пожелание я передал администратору.
booking-page = Записаться можно здесь: { $link }
prepayment-link = Услуга «{ $service }» бронируется с предоплатой. Записаться и оплатить можно по ссылке: { $link }
model-unavailable = Простите, сейчас не могу ответить как следует. Я передал ваше сообщение администратору, он напишет вам. Записаться можно и без меня: кнопками.
model-blocked = На это сообщение я ответить не могу. Передал его администратору, он напишет вам. Если хотите записаться, вот кнопки.
only-buttons = Сейчас отвечаю только кнопками: так можно записаться, посмотреть, перенести или отменить запись. Позвать администратора: /person.
staff-budget-soft = Расходы на модель в этом месяце достигли мягкого предела: { $spent } из { $limit } долл. Помощник отвечает как обычно.
staff-budget-hard = Расходы на модель в этом месяце достигли предела: { $spent } из { $limit } долл. До конца месяца клиентам отвечают только кнопки. Изменить предел: budget в файле компании.
safe-reply = Уточню это у администратора, чтобы не ошибиться. Чем ещё помочь?
something-went-wrong = Простите, с этим сообщением что-то пошло не так. Администратор посмотрит и ответит вам.
too-many-messages = Вы пишете быстрее, чем я успеваю отвечать. Подождите, пожалуйста, минуту: всё, что вы написали, я сохранил.

comment-source = Записал цифровой помощник AI-Admin
comment-visitor = Придёт: { $visitor }
comment-visit = Часть визита, ещё: { $others }
comment-unconfirmed-phone = Номер телефона не подтверждён

staff-unnamed-client = Клиент без имени
staff-call-person = { $kind ->
        [unknown_topic] Вопрос, на который нет ответа в сведениях компании
        [complaint] Жалоба
        [health] Вопрос о здоровье
        [asked_for] Клиент просит человека
        [photo] Клиент прислал фото, посмотрите его в чате с клиентом
        [paused] Помощник на паузе, клиент ждёт человека
        [listed_topic] Тема, о которой вы просили звать человека
        [failures] Ассистент не смог ответить несколько раз подряд
       *[other] Клиенту нужен человек
    }: { $client }. { $summary }
staff-call-message = Сообщение после звонка, перезвоните, пожалуйста: { $client }. { $text }
staff-call-dropped = Звонок оборвался сразу после подтверждения, и клиент мог этого не услышать. Позвоните, пожалуйста: { $client }.
call-code-message = Код для звонка: { $code }. Назовите его помощнику по телефону. Если вы не звоните сейчас, ничего не делайте и никому его не говорите.
call-summary = Спасибо за звонок! Вот что получилось:
staff-late = Опаздывает: { $client }. { $text } Запись: { $appointment }
staff-note = Сообщение от клиента: { $client }. { $text } Запись: { $appointment }
staff-rating-low = Низкая оценка визита: { $stars } из 5. { $client }. Визит: { $visit }
staff-rating-why = К низкой оценке: { $client }. { $text }
staff-unconfirmed-booking = Новая запись с неподтверждённым номером: { $client }, { $when }. Позвоните, пожалуйста.
staff-outcome-unknown = Проверьте в CRM, прошло ли изменение, и напишите клиенту: { $client }.
    { $what }
staff-visit-in-part = Визит записан или отменён не целиком. Проверьте, пожалуйста, в CRM и напишите клиенту: { $client }.
    { $parts }
staff-crm-auth = CRM не принимает доступ ({ $reason }): проверьте токены. Клиент ждёт звонка: { $client }. Просьба: { $wish }
staff-crm-down = CRM не ответила ({ $reason }). Клиент ждёт звонка: { $client }. Просьба: { $wish }
staff-booking-link = { $client } хочет записаться: { $wish }. Отправлена ссылка на онлайн-запись; проверьте, пожалуйста, что запись появилась.
staff-prepayment = { $client } хочет записаться на «{ $service }» с предоплатой: отправлена ссылка.
staff-model-down = Помощник не смог ответить. Клиент ждёт: { $client }. Сообщение: { $wish }
staff-not-delivered = Сообщение не дошло до клиента, свяжитесь с ним, пожалуйста: { $client }.
    { $words }
staff-too-late = Клиент писал больше суток назад, и мессенджер уже не принимает сообщение для него: { $client }. Позвоните, пожалуйста.
    { $words }
staff-dead-update = Сообщение клиента не удалось обработать, он ждёт ответа: { $client }.

tool-unknown-slot = Это время я вам не показывал или показывал давно. Давайте посмотрим свободное время ещё раз.
tool-unknown-appointment = Такой записи я вам не показывал. Давайте посмотрим ваши записи ещё раз.
tool-unknown-service = Такой услуги у нас нет.
tool-other-services = Запись переносится на время для тех же услуг.
tool-one-record = Запись переносится только на время, когда все услуги делает один мастер подряд.
tool-branch-needed = В каком филиале вам удобно?
tool-answers-needed = Перед записью нужно кое-что уточнить.
tool-dates-past = Эта дата уже прошла.
tool-dates-too-far = Расписание на такой срок ещё не открыто.
tool-not-found = Этого в расписании нет.
tool-cannot-be-told = Лист ожидания здесь не ведётся: предложите ближайшее свободное время.

language-name = Русский
language-ask = На каком языке вам удобнее?
language-chosen = Хорошо, дальше говорим по-русски.
button-choose = Выбрать
menu-book = Записаться
menu-my = Мои записи

command-words-book = записаться|запись|записаться кнопками|меню
command-words-my = мои записи|мои визиты|мои визиты и записи
command-words-person = человек|администратор|оператор|позвать человека|позовите человека|позовите администратора
command-words-language = язык|сменить язык|поменять язык
command-words-help = помощь|что ты умеешь|что вы умеете
command-words-delete = удалить мои данные|удалите мои данные
command-words-stop = стоп|stop|отписаться|отпишите меня|больше не пишите|больше не писать|не пишите мне|не пишите мне больше

flow-branch = В какой филиал вас записать?
flow-service = На какую услугу вас записать?
flow-no-services = Онлайн сейчас ни на что записаться нельзя. Напишите, что вам нужно, и администратор поможет.
flow-staff = К какому мастеру?
flow-anyone = К любому мастеру
flow-day = На какой день?
flow-no-days = На эти дни свободного времени нет.
flow-time = Какое время вам удобно?
flow-no-times = На этот день свободного времени больше нет. Вернитесь и выберите другой.
flow-back = Назад
flow-cancel = Отмена
flow-tell-me = Сообщить об окошке
flow-later = Дальше
flow-sooner = Раньше
flow-cancelled = Хорошо, не записываю. Если понадоблюсь, напишите.
flow-gone = Этого уже нет. Давайте выберем из того, что есть сейчас.
flow-choose-again = Давайте продолжим отсюда.
my-none = Предстоящих записей у вас нет.
my-list = Ваши записи:
    { $appointments }

    Выберите запись, чтобы перенести или отменить её.
my-move = Перенести
my-cancel = Отменить запись

reminder = Здравствуйте! Напоминаю о вашей записи: { $visit }. { $place }. Придёте?
reminder-confirmed = Здравствуйте! Ждём вас: { $visit }. { $place }. Если планы изменились, нажмите кнопку или напишите.
reminder-coming = Приду
reminder-move = Перенести
reminder-cancel = Отменить
reminder-coming-words = приду|буду|да приду|да буду|приду обязательно|обязательно приду|обязательно буду|конечно приду|конечно буду|придём|да придём|будем|да будем|всё в силе|да всё в силе|всё по плану
reminder-thanks = Спасибо, ждём вас: { $when }.
reminder-gone = Этой записи уже нет, или её время прошло. Если нужно записаться снова, нажмите кнопку или напишите.
reminder-moved = Это напоминание о прежнем времени. Теперь вы записаны на другое: { $when }.

delete-me-ask = Удалить всё, что я о вас знаю: имя, номер и нашу переписку? Записи в журнале салона останутся: их меняет администратор.
delete-me-yes = Да, удалить
delete-me-kept = Хорошо, ничего не удаляю.
delete-me-done = Готово: имя, номер и переписка удалены. Если напишете снова, познакомимся заново.
staff-delete-me = Клиент попросил удалить свои данные: { $client }. У помощника они удалены; проверьте, пожалуйста, карточку в CRM.

attachment-location = Спасибо! Мы находимся здесь: { $place }. Чем помочь?
attachment-sticker = 🙂 Чем могу помочь?
attachment-video = Видео я смотреть не умею. Напишите, пожалуйста, словами или пришлите фото.
attachment-document = Файлы я открывать не умею. Напишите, пожалуйста, словами или пришлите фото.
attachment-contact = Спасибо за контакт. Чем могу помочь?
attachment-other = Такое сообщение я прочитать не могу. Напишите, пожалуйста, словами.
media-too-large = Это слишком длинно или слишком тяжело для меня. Пришлите, пожалуйста, покороче или напишите словами.
media-unavailable = Не получилось открыть то, что вы прислали. Пришлите, пожалуйста, ещё раз или напишите словами.
voice-not-understood = Не удалось разобрать слова. Повторите, пожалуйста, или напишите.
words-edited = Исправляю своё сообщение: { $words }
words-with-quote = В ответ на «{ $quoted }»: { $words }

bot-command-book = Записаться кнопками
bot-command-my = Мои записи
bot-command-person = Позвать администратора
bot-command-language = Сменить язык
bot-command-help = Что я умею
bot-command-stop = Не писать мне первым
bot-command-delete-me = Удалить мои данные
bot-description = Я цифровой помощник «{ $company }». Отвечу на вопросы, подберу время и запишу вас. Напишите, что вам нужно.
bot-short-description = Цифровой помощник «{ $company }»: ответы и запись

report-title = Проверка помощника: { $company }
report-simulated = Отвечала не модель, а сценарий: такая проверка показывает, что работают инструменты и защита, и ничего не говорит о том, насколько хорошо отвечает модель.
report-model = Отвечала модель: { $model }
report-pass = Успешно { $k ->
        [1] с первого раза
       *[other] все { $k } раз подряд
    }
report-scenarios = Сценариев
report-model-calls = Обращений к модели
report-tokens = Токенов: вход / выход
report-passed = Пройден
report-failed = Не пройден
report-of = { $passed } из { $runs }
report-run = Разговор { $number }: ходов { $turns }, обращений к модели { $calls }, { $seconds } с
report-anyone = Мастер
report-fault = { $kind ->
        [no_appointment] Нет записи: { $what }
        [too_many] Лишняя запись: { $what }
        [touched] Задета чужая запись: { $what }
        [not_called] Человека не позвали: { $what }
        [called] Позвали человека: { $what }
        [never_said] Не сказано: { $what }
        [said] Сказано лишнее: { $what }
        [no_button] Не было кнопки: { $what }
        [not_done] Клиент не добился своего, сообщений: { $what }
        [client_failed] Не ответила модель, которая играет клиента: { $what }
       *[no_answer] Помощник не ответил
    }

privacy-notice = Чтобы ответить и записать вас, { $operator } обрабатывает ваши имя, номер и сообщения. Удалить их можно командой /delete_me.
privacy-notice-with-policy = Чтобы ответить и записать вас, { $operator } обрабатывает ваши имя, номер и сообщения ({ $url }). Удалить их можно командой /delete_me.
act-title = АКТ об уничтожении персональных данных № { $id }
act-log-title = ВЫГРУЗКА из журнала регистрации событий в информационной системе персональных данных (к акту № { $id })
act-operator = Оператор (наименование, адрес): { $value }
act-processor = Лицо, обрабатывавшее данные по поручению оператора: { $value }
act-subject = Субъект персональных данных: { $value }
act-categories = Категории уничтоженных персональных данных: { $value }
act-system = Информационная система персональных данных: { $value }
act-method = Способ уничтожения: удаление записей из базы данных PostgreSQL и ключей из Redis
act-reason = Причина уничтожения: { $value }
act-reason-request = обращение субъекта персональных данных (отзыв согласия)
act-reason-purpose = достижение цели обработки или утрата необходимости в ней
act-reason-unlawful = неправомерная обработка
act-date = Дата уничтожения: { $value }
act-kept-in-crm = Не уничтожено этим актом, хранится в CRM оператора ({ $crm }), записи: { $value }
act-erased-by = Уничтожил (фамилия, имя, отчество, должность): { $value }
act-signature = Подпись: { $value }
act-signed-by-system = Файл акта подписан системой (Ed25519), ключ { $name }.
act-category-contacts = имя, номер телефона, идентификатор в мессенджере
act-category-correspondence = переписка и содержание разговоров
act-category-received = сообщения и вложения в том виде, в каком их прислал мессенджер
act-category-notes = заметки о прошлых обращениях и визитах
act-category-bookings = сведения о записях
act-category-calls = сведения о телефонных звонках
act-category-technical = служебные сведения об обработке обращений
agent-again = Хорошо, я снова с вами. Чем помочь?
button-agent-again = Продолжить с ассистентом
person-not-yet = Администратор пока не успел ответить: мы напомнили ему о вас. Можете подождать здесь или продолжить со мной.
staff-agent-silenced = Не отправлено клиенту, потому что ответил человек:
    { $words }
staff-agent-answers-already = Этому клиенту и так отвечает ассистент.
staff-back-where = Команда /back действует в теме клиента или в ответ на его сообщение.
staff-client-waits = Клиент ждёт ответа человека.
staff-client-waits-owner = { $client } давно ждёт ответа, сотрудники пока не ответили. Ответьте на это сообщение, и клиент получит ваши слова.
staff-code-unknown = Этот код не подошёл: он действует сутки и только один раз. Попросите новый.
staff-enrol-in-private = Чтобы войти по коду, откройте личный чат с ботом по ссылке.
staff-enrolled = { $name }, вы в списке сотрудников компании «{ $company }»{ $role ->
        [owner] { " " }как владелец
        [administrator] { " " }как администратор
       *[master] { " " }как мастер
    }.
staff-crm-comment = Ответили клиенту комментарием к записи в CRM: «{ $words }». Ассистент молчит, пока клиента не вернут ему.
staff-handed-back = Клиент снова говорит с ассистентом.
staff-handed-back-by = { $name }: клиент возвращён ассистенту.
staff-handed-back-by-silence = Ответов не было долго: клиенту снова отвечает ассистент.
staff-mirror-agent = 🤖 { $text }
staff-mirror-client = 👤 { $name }: { $text }
staff-mirror-person = 💬 { $text }
staff-mirror-file = { $kind ->
        [voice] [голосовое]
        [image] [фото]
        [video] [видео]
        [document] [файл]
        [location] [место на карте]
        [contact] [контакт]
        [sticker] [стикер]
       *[other] [вложение]
    }
staff-not-enrolled = Вас нет в списке сотрудников, поэтому клиент этого не получит. Попросите у владельца код для входа.
staff-topic-opened = { $client }
    Пишет в { $channel ->
        [telegram] Telegram
        [whatsapp] WhatsApp
       *[other] мессенджере
    }. Ваши сообщения здесь получит клиент. /back возвращает его ассистенту.
staff-unknown-command = Этой команды здесь нет.
file-not-carried = Файл передать не удалось: он слишком большой или уже недоступен.
staff-cannot-carry = Такое передать клиенту нельзя: подойдут текст, фото, голосовое, видео или файл.
button-draft-send = Отправить
button-draft-drop = Не отправлять
staff-draft = Черновик ответа:

    { $text }
staff-draft-sent = { $name }: отправлено клиенту.
staff-draft-dropped = { $name }: черновик не отправлен. Ответьте клиенту сами.
staff-draft-settled = Этот черновик уже не актуален: его отправили, не стали отправлять или клиент написал снова.

agent-paused = Сейчас вам ответит администратор: я передал ему ваше сообщение.
staff-paused = Помощник на паузе во всей компании. Клиентам отвечает человек: их сообщения приходят сюда. Включить снова: /resume
staff-paused-by = { $by }: помощник на паузе во всей компании. Клиентам отвечает человек. Включить снова: /resume
staff-paused-already = Помощник уже на паузе ({ $by }). Включить: /resume
staff-is-paused = ⏸ Помощник на паузе: { $when } ({ $by }). Клиентам отвечает человек. Включить: /resume
staff-resumed = Помощник снова отвечает клиентам. Диалоги, которые ждут человека, остались у вас: /back в теме клиента возвращает его помощнику.
staff-resumed-by = { $by }: помощник снова отвечает клиентам. Диалоги, которые ждут человека, остались у вас.
staff-not-paused = Помощник и так отвечает клиентам.
staff-not-allowed = Это не входит в ваши права. Спросите владельца.
staff-stale-button = Эта кнопка уже не действует.
staff-today-counts = Помощник записал: { $booked }, перенёс: { $moved }, отменил: { $cancelled }
staff-today-line = { $kind ->
        [create] ➕
        [move] 🔁
       *[cancel] ➖
    } { $when }, { $service }, { $staff }. { $client }
staff-nobody-waits = Ответа человека никто не ждёт.
staff-waiting = Ждут ответа человека: { $count }
staff-waiting-line = • { $client }: { $length }
staff-and-more = … и ещё { $count }
staff-phones-in-private = Номера целиком: /today в личном чате с ботом.
staff-note-usage = Напишите заметку после команды: /note В субботу работаем до 18:00
staff-note-too-long = Заметка слишком длинная: не больше { $most } знаков.
staff-note-too-many-wait = Слишком много заметок ждут решения владельца. Список: /notes
staff-note-too-many = В силе уже { $most } заметок, больше нельзя. Уберите лишнее (/undo) или внесите в указания компании.
staff-note-proposed = Заметка для помощника: «{ $text }» ({ $by }). Вступит в силу, когда владелец нажмёт кнопку.
staff-note-admit = Ввести в силу
staff-note-refuse = Не нужно
staff-note-owner-decides = Это решает владелец.
staff-note-decided = Уже решено: { $state ->
        [in_force] заметка в силе
       *[undone] заметка не действует
    } ({ $by }).
staff-note-in-force = Заметка в силе: «{ $text }». Вернуть: /undo
staff-note-refused = Заметка не введена: «{ $text }».
staff-notes = Заметки для помощника:
staff-notes-none = Заметок нет. Добавить: /note и текст.
staff-note-line = { $state ->
        [in_force] ✅
       *[proposed] ⏳ (ждёт владельца)
    } «{ $text }». { $by }, { $when }
staff-undone = Заметка снята: «{ $text }».
staff-undo-none = Снимать нечего.
staff-late-gap = После этой записи мастер свободен: { $length } (до { $until }), по расписанию CRM.
staff-late-no-gap = Сразу после этой записи свободного времени у мастера нет.
staff-late-gap-unknown = Сколько времени у мастера после записи, CRM не говорит.
staff-late-next = Следующая запись у мастера из тех, что сделал помощник: { $time }.
staff-late-wait = Ждём
staff-late-shorten = Сократим
staff-late-move = Перенести
staff-late-answered-already = На это уже ответили: «{ $answer }».
staff-late-told = { $by }: клиенту отправлено ({ $client }): «{ $words }»
late-wait = Администратор ответил: вас ждут.
late-shorten = Администратор ответил: вас ждут, но времени останется меньше, и процедуру придётся сократить.
late-move = Администратор ответил: сегодня в это время вас уже не успеют принять, запись нужно перенести. Нажмите кнопку, и подберём другое время.
staff-phone = Показать номер
staff-phone-sent = { $name }, номер отправлен вам в личный чат.
staff-no-phone = Номера этого клиента у помощника нет.

# Веб-консоль сотрудников
console-pages = Разделы
console-dialogues = Диалоги
console-day = День
console-figures = Статистика
console-settings = Настройки
console-account = Кто вошёл
console-role-owner = владелец
console-role-administrator = администратор
console-role-master = мастер
console-sign-out = Выйти
console-home = На главную
console-back = Назад
console-yes = да
console-no = нет
console-as-usual = как принято для языка
console-door-title = Вход для сотрудников
console-door-how = Напишите боту компании в личный чат: /console. Он пришлёт ссылку для входа.
console-door-who = Ссылку получают только те, кого добавил владелец. Она действует десять минут и один раз.
console-enter = Войти
console-enter-as = Вы входите как { $name }.
console-enter-hint = Если это не вы, просто закройте страницу.
console-link = Вход в консоль (ссылка действует { $minutes ->
        [one] { $minutes } минуту
        [few] { $minutes } минуты
       *[other] { $minutes } минут
    } и один раз, никому её не пересылайте):
    { $url }
console-link-in-private = Ссылку на консоль бот присылает только в личный чат: напишите ему /console там.
console-link-unknown = Эта ссылка не подошла: она действует десять минут и только один раз. Попросите у бота новую: /console.
console-staff-took-over = { $name } отвечает клиенту из консоли.
console-fault-unreadable = Запрос не получилось прочитать.
console-fault-sign-in = Нужно войти.
console-fault-forbidden = Этот раздел или действие вам недоступны. Если вы заполняли форму, откройте страницу заново и попробуйте ещё раз.
console-fault-not-found = Такой страницы нет.
console-fault-too-large = Слишком большой запрос.
console-fault-too-many = Слишком много попыток. Подождите минуту.
console-fault-unavailable = Сейчас ничего не получается сохранить. Попробуйте ещё раз через несколько секунд.
console-show-all = Все
console-show-waiting = Ждут человека
console-no-dialogues-all = Диалогов пока нет.
console-no-dialogues-waiting = Никто не ждёт.
console-we = Мы:
console-waits = ждёт человека
console-waits-since = ждёт с { $at }
console-person-answers = отвечает человек
console-agent-answers = отвечает помощник
console-unreachable = сообщения до клиента не доходят
console-paused = Помощник на паузе: клиентам отвечают сотрудники.
console-channel-telegram = Telegram
console-channel-whatsapp = WhatsApp
console-channel-voice = звонок
console-channel-api = свой канал
console-channel-example = пример
console-by-client = клиент
console-by-agent = помощник
console-by-person = сотрудник
console-by-system = система
console-nothing-said = Здесь ещё ничего не сказано.
console-asked-for = Запрошено
console-was-told = Получено
console-show-phone = Показать номер
console-no-phone = Номер неизвестен.
console-draft = черновик помощника: клиент его ещё не видел
console-draft-drop = Не отправлять
console-take-over = Взять на себя
console-hand-back = Вернуть помощнику
console-looked-at = Уже посмотрел
console-answer = Ответ клиенту
console-answer-hint = Ответ клиенту. Помощник замолчит.
console-send = Отправить
console-cannot-answer = В этом канале клиенту отсюда не написать.
console-today = Сегодня
console-day-before = Предыдущий день
console-day-after = Следующий день
console-no-visits = Записей, сделанных через помощника, нет.
console-day-empty = Записей нет.
console-asking-crm = Сверяем с CRM…
console-crm-stands = в CRM так же
console-crm-cancelled = в CRM отменено
console-crm-moved = в CRM перенесено: { $when }
console-crm-staff = в CRM другой мастер: { $name }
console-crm-silent = CRM не ответила, показано то, что знаем мы
console-crm-by-staff = запись в CRM, не через помощника
console-day-silent = CRM не ответила: показаны только записи, которые сделал помощник.
console-day-cannot = Показаны только записи, которые сделал помощник: остальные в этой CRM ему не видны.
console-cancelled = отменено
console-phone-typed = номер не подтверждён
console-to-dialogue = Диалог
console-days = { $count ->
        [one] { $count } день
        [few] { $count } дня
       *[other] { $count } дней
    }
console-seconds = { $count } с
console-figures-of-all = Цифры по всей компании. Дни считаются по часам первого филиала, расходы на модель по UTC.
console-figure-messages = Сообщений клиентов
console-figure-dialogues = Диалогов
console-figure-booked = Записано
console-figure-moved = Перенесено
console-figure-cancelled = Отменено
console-figure-handed = Передано людям
console-figure-answer-half = Половина ответов быстрее
console-figure-answer-most = 95% ответов быстрее
console-figure-writes = Успех записи в CRM
console-figure-drafts = Черновиков
console-figure-drafts-unchanged = Отправлено без правок
console-figure-drafts-edited = Сказано своими словами
console-figure-drafts-dropped = Не отправлено
console-figure-cost = Расходы на модель
console-plot-messages = Сообщения клиентов за день
console-plot-bookings = Записи через помощника за день
console-plot-answers = Время ответа, секунды
console-plot-handed = Диалоги, переданные людям, %
console-plot-drafts = Что стало с черновиками за день
console-plot-cost = Расходы на модель за день, долларов
console-saved = Сохранено. Помощник уже отвечает по-новому.
console-save = Сохранить
console-settings-agent = Помощник
console-settings-people = Когда отвечают люди
console-field-mode = Когда отвечает помощник
console-field-people-answer-minutes = Сколько минут у сотрудников, прежде чем ответит помощник
console-field-people-ring-minutes = Через сколько минут ожидания напомнить сотрудникам
console-field-people-hand-back-hours = Через сколько часов молчания вернуть клиента помощнику
console-field-people-topics = Темы, на которые всегда зовут человека (по одной на строке)
console-mode-always = всегда
console-mode-if-unanswered = если сотрудники не ответили
console-mode-off-hours = в нерабочее время
console-mode-draft = только готовит черновики
console-fault-of-mode = Один из четырёх вариантов.
console-fault-of-people-answer-minutes = Целое число минут от 1 до 240.
console-fault-of-people-ring-minutes = Целое число минут от 1 до 240.
console-fault-of-people-hand-back-hours = Целое число часов от 1 до 72.
console-fault-of-people-topics = Не больше 50 строк, каждая до 200 знаков.
console-settings-outreach = Что помощник пишет сам
console-field-reminders = Напоминать о визите за (24h, 2h; off, если напоминает CRM; пусто, если не решили)
console-field-quiet-hours = Когда клиентам не пишут (по их часам)
console-field-outreach-waiting-list = Лист ожидания
console-field-outreach-thank-you = Благодарить после визита и просить оценку
console-field-outreach-thank-you-after-hours = Через сколько часов после визита
console-field-outreach-win-back-weeks = Через сколько недель приглашать снова (пусто: не приглашать)
console-fault-of-reminders = Например: 24h, 2h. От 45m до 7d, не больше трёх. Или off.
console-fault-of-quiet-hours = Например: 21:00-9:00.
console-fault-of-outreach-waiting-list = Да или нет.
console-fault-of-outreach-thank-you = Да или нет.
console-fault-of-outreach-thank-you-after-hours = Целое число часов от 1 до 12.
console-fault-of-outreach-win-back-weeks = Целое число недель или пусто.
console-settings-privacy = Данные клиентов
console-settings-crm = CRM
console-settings-changed = Пока вы редактировали, настройки изменил кто-то другой. Скопируйте свой текст, откройте страницу заново и внесите изменения ещё раз.
console-settings-faults = Не сохранено: исправьте отмеченные поля.
console-field-description = О компании
console-field-highlights = Чем вы хороши
console-field-target-audience = Ваши клиенты
console-field-instructions = Указания помощнику
console-field-language = Язык компании
console-field-quiet-seconds = Сколько секунд ждать, не допишет ли клиент ещё
console-field-most-open-bookings = Сколько записей вперёд может держать один клиент
console-field-tell-clients-of-crm-changes = Сообщать клиентам, когда запись изменили в CRM
console-field-privacy-operator = Кто отвечает за данные (название и адрес)
console-field-privacy-policy-url = Ссылка на политику обработки данных
console-field-privacy-notice = Предупреждать об обработке данных при первом обращении
console-field-privacy-notice-text = Свой текст предупреждения
console-field-privacy-hide-from-model = Скрывать имена и номера клиентов от модели
console-field-privacy-keep-days-texts = Сколько дней хранить переписку
console-field-privacy-keep-days-media = Сколько дней хранить фото и голосовые
console-field-privacy-keep-days-summaries = Сколько дней хранить заметки о прошлых обращениях
console-field-privacy-keep-days-clients = Через сколько дней молчания забывать клиента
console-fault-of-description = Не больше 4000 знаков.
console-fault-of-highlights = Не больше 4000 знаков.
console-fault-of-target-audience = Не больше 4000 знаков.
console-fault-of-instructions = Не больше 20 000 знаков.
console-fault-of-language = Такого языка нет.
console-fault-of-quiet-seconds = Число от 0 до 30.
console-fault-of-most-open-bookings = Целое число от 1 до 100.
console-fault-of-tell-clients-of-crm-changes = Да или нет.
console-fault-of-privacy-operator = Не больше 4000 знаков.
console-fault-of-privacy-policy-url = Адрес, который начинается с https://
console-fault-of-privacy-notice = Да, нет или как принято.
console-fault-of-privacy-notice-text = Не больше 700 знаков.
console-fault-of-privacy-hide-from-model = Да, нет или как принято.
console-fault-of-privacy-keep-days-texts = Целое число дней от 1 до 3650.
console-fault-of-privacy-keep-days-media = Целое число дней от 1 до 3650.
console-fault-of-privacy-keep-days-summaries = Целое число дней от 1 до 3650.
console-fault-of-privacy-keep-days-clients = Целое число дней от 1 до 3650.
console-language-ru = русский
console-language-en = английский
console-language-kk = казахский
console-crm-type = Система
console-crm-none = CRM не подключена.
console-crm-how = Подключает и меняет CRM администратор платформы: ai-admin crm set.
console-ask-title = Спросите вашего помощника
console-ask-hint = Отвечает настоящий помощник по тому, что сейчас стоит в форме, даже если вы не сохранили. Записи не создаются, сотрудников он не зовёт.
console-ask-label = Вопрос от лица клиента
console-ask-example = Сколько стоит стрижка?
console-ask = Спросить
console-ask-thinks = Думает…
console-ask-silent = За полминуты ответа не было. Возможно, обработчик сейчас не работает.
console-ask-no-words = Помощник ничего не ответил.
console-ask-faults = Сначала исправьте поля: { $fields }.
console-ask-contact = Здесь клиент увидит кнопку «{ $label }». Номер можно написать словами.
preview-not-carried-out = Это проверка: здесь запись была бы оформлена, но сейчас ничего не изменено.
words-today = сегодня
words-tomorrow = завтра
sick-usage = Напишите, кого и на какой день: /sick Анна 25.11 (или «сегодня», «завтра»).
sick-which = Кого именно: { $masters }? Напишите имя полностью.
sick-none = Помощник не делал записей к мастеру { $master } на { $day }. Остальные записи посмотрите в CRM.
sick-free = У мастера { $master } на { $day } записей нет.
sick-head = { $master }{ $place }, { $day }: записей { $count }
sick-line = { $time }, { $service }. { $client }{ $standing ->
        [listed] { "" }
        [asked] { " " }⏳ спросили, ждём ответа
        [answered] { " " }💬 на связи, выбирает
        [moved] { " " }✅ перенесена: { $now }
        [again] { " " }✅ записался снова
        [cancelled] { " " }➖ отменена
       *[phone] { " " }📞 нужно позвонить
    }
sick-crm-silent = CRM не ответила: показаны только записи, которые сделал помощник. Остальные посмотрите в CRM.
sick-crm-cannot = Показаны только записи, которые сделал помощник: остальные в этой CRM ему не видны.
sick-propose = Закройте день мастера в CRM, чтобы на него больше не записывали. Предложить клиентам другого мастера или другое время?
sick-phone-them = Написать этим клиентам помощник не может: позвоните им. Закройте день мастера в CRM, чтобы на него больше не записывали.
sick-cancelled-in-crm = Эти записи отменили в CRM одну за другой: похоже, мастер не работает. Предложить клиентам другого мастера или другое время?
sick-approved = Клиентам предложено другое ({ $by }). Позвонить: { $count }. Запись остаётся, пока клиент не выбрал.
sick-approved-already = Клиентам этого дня уже предложено другое ({ $by }).
sick-decided-already = Уже решено ({ $by }).
sick-approve = Предложить клиентам
sick-drop = Не нужно
sick-phones = Кому звонить
sick-dropped = { $by }: клиентам ничего не предлагаем.
sick-asking = { $by }: предложено клиентов: { $count }. Список выше обновляется.
sick-nobody-to-phone = Звонить никому не нужно.
sick-offer = Здравствуйте! { $staff } не сможет принять вас: { $when }, { $service }. { $place }. Простите за неудобство. Запись останется, пока вы не выберете:
sick-offer-again = Ваша запись отменена: { $when }, { $service }, { $staff }. { $place }. Можем предложить взамен:
sick-same = В то же время у другого мастера
sick-other = Другое время
sick-nobody-then = В это же время другие мастера заняты. Давайте выберем другое время.
staff-command-today = Что помощник сделал сегодня и кто ждёт ответа
staff-command-back = Вернуть клиента помощнику (в его теме)
staff-command-pause = Остановить помощника во всей компании
staff-command-resume = Снова включить помощника
staff-command-note = Добавить заметку к указаниям помощника
staff-command-notes = Какие заметки действуют
staff-command-undo = Снять последнюю заметку
staff-command-sick = Мастер не выйдет: предложить клиентам другое
