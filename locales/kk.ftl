# Not proofread by a native speaker yet.
# Код айтатын мәтіндер (модель емес): «Сіз» деп, қысқа әрі жылы.

money = { $amount } { $currency }
price-range = { $low } – { $high }
currency-rub = рубль
currency-kzt = теңге
currency-usd = доллар
currency-eur = еуро
currency-byn = беларусь рублі
currency-uzs = сум
currency-kgs = сом
currency-uah = гривна
currency-gel = лари
currency-amd = драм
hours = { $count } { $count ->
    [one] сағат
   *[other] сағат
}
minutes = { $count } { $count ->
    [one] минут
   *[other] минут
}
moment-in-zone = { $moment } ({ $zone } уақытымен)
yes-words = иә|ия|ие|иә иә|жарайды|иә жарайды|жақсы|дұрыс|бәрі дұрыс|келісемін|иә келісемін|мақұл|болады|иә болады|растаймын|иә растаймын|әрине|иә әрине|иә рахмет|жарайды рахмет|👍|👌|✅|+
yes-words-create = жазыңыз|иә жазыңыз|болады жазыңыз|жазып қойыңыз|жаза беріңіз
yes-words-move = ауыстырыңыз|иә ауыстырыңыз|ауыстыра беріңіз
yes-words-cancel = жойыңыз|иә жойыңыз|жоя беріңіз
no-words = жоқ|керек емес|қажет емес|жоқ керек емес|жоқ рахмет|болмайды|дұрыс емес|келіспеймін|ойымды өзгерттім|әзірге жоқ|👎|-
no-words-create = жазбаңыз|жоқ жазбаңыз|бас тартамын|болдырмау
no-words-move = ауыстырмаңыз|жоқ ауыстырмаңыз|бас тартамын|болдырмау
no-words-cancel = жоймаңыз|жоқ жоймаңыз|қала берсін

greeting = Сәлеметсіз бе! Мен «{ $company }» цифрлық көмекшісімін: сұрақтарға жауап беріп, Сізді жазып қоямын.
help = Мен «{ $company }» цифрлық көмекшісімін. Не керек екенін өз сөзіңізбен жазыңыз: жазылу, бағасын білу, жазбаны ауыстыру немесе жою. Батырмалармен жазылу: /book. Жазбаларыңыз: /my. Адамды шақыру: /person. Тілді ауыстыру: /language.
person-called = Сұрағыңызды әкімшіге жеткіздім, ол осы жерде жауап береді.
complaint-to-person = Осылай болғанына өте өкінемін. Сөзіңізді әкімшіге жеткіздім, ол осында жауап береді.
health-to-person = Денсаулық туралы сұрақтарға маман жауап береді. Сұрағыңызды оған жеткіздім, жауабы осында келеді.
photo-to-person = Фото үшін рақмет! Оны маман қарап, осында жауап береді: суретке қарап баға мен мүмкіндікті тек сол айта алады. Ал жазуды қазір-ақ жасай аламын.
button-share-contact = Нөмірмен бөлісу
ask-contact = Сізді жазу үшін телефон нөмірі керек. «Нөмірмен бөлісу» батырмасын басыңыз немесе нөмірді жазып жіберіңіз.
ask-contact-foreign = Бұл Сіздің нөміріңіз емес. Жазбаларыңызды көрсету үшін төмендегі батырмамен өз нөміріңізбен бөлісіңіз.
need-proved-phone = Жазбаны көрсету, ауыстыру немесе жою үшін оның Сіздікі екеніне көз жеткізуім керек. Төмендегі батырмамен нөміріңізбен бөлісіңіз.
too-many-bookings = Сізде алдағы жазбалар саны { $most } немесе одан көп, бұдан артық жазбаны өзім рәсімдемеймін. Оларды көрсетіп, ауыстырып немесе бас тартып бере аламын. Тағы керек болса, әкімші көмектеседі: «әкімші» деп жазыңыз немесе айтыңыз.
too-many-open = Жазып жіберілген нөмірмен бір ғана жазба жасауға болады. Тағы жазылу үшін төмендегі батырмамен нөміріңізбен бөлісіңіз.
ask-name = Есіміңіз кім?
contact-shared = Телефон нөміріммен бөлістім.

line-service = Қызмет: { $value }
line-staff = Шебер: { $value }
line-when = Уақыты: { $value }
line-was = Бұрын: { $value }
line-becomes = Енді: { $value }
line-duration = Ұзақтығы: { $value }
line-price = Бағасы: { $value }
line-place = Мекенжайы: { $value }
line-client = Есімі: { $value }
line-visitor = Келетін адам: { $value }
line-visit = Келу:
    { $value }
part-line = • { $when }, { $service }, { $staff } ({ $terms })

proposal-create = Тексеріп шығыңызшы:
    { $details }

    Жазайын ба?
proposal-move = Жазбаны ауыстырайын ба?
    { $details }
proposal-cancel = Жазбаны жояйын ба?
    { $details }
proposal-cancel-visit = Бұл жазба басқаларымен бірге жасалған. Бәрін жою керек пе?
    { $details }
proposal-declined = Жарайды, ештеңені өзгертпеймін. Басқа уақыт керек болса, жазыңыз.
proposal-expired = Он минуттан астам уақыт өтті, бұл уақыт бос болмауы мүмкін. Қайта тексерейік: қай уақытқа жазайын?
proposal-changed = Сөйлесіп жатқанда шарттар өзгерді. Тағы бір рет тексеріп шығыңызшы.
button-yes-create = Иә, жазыңыз
button-yes-move = Иә, ауыстырыңыз
button-yes-cancel = Иә, жазбаны жойыңыз
button-yes-cancel-visit = Иә, бәрін жою
button-only-this = Тек осы жазбаны
button-no = Жоқ

receipt-created = Дайын, Сіз жазылдыңыз.
    { $details }
receipt-moved = Дайын, жазба ауыстырылды.
    { $details }
receipt-cancelled = Жазба жойылды.
    { $details }
receipt-visit-cancelled = Жазбалардың бәрі жойылды.
    { $details }
receipt-unconfirmed-phone = Нөмірді растау үшін әкімші қоңырау шалуы мүмкін.
already-done = Бұл жасалып қойған.
stale-button = Бұл батырма енді жұмыс істемейді. Не керек екенін жазыңыз, көмектесемін.

slot-line = • { $when }, { $staff }
slot-taken = Өкінішке қарай, бұл уақытты жаңа ғана алып қойды. Мына уақыттарды ұсына аламын:
    { $times }
slot-taken-none = Өкінішке қарай, бұл уақытты жаңа ғана алып қойды, оған жақын бос уақыт жоқ. Сізге басқа қай күн ыңғайлы?
visit-taken = Өкінішке қарай, бұл уақыттың бір бөлігін жаңа ғана алып қойды, сондықтан ештеңе жазылмады. Басқа уақыт ұсына аламын:
    { $times }
visit-taken-none = Өкінішке қарай, бұл уақыттың бір бөлігін жаңа ғана алып қойды, сондықтан ештеңе жазылмады, ал маңайда бос уақыт жоқ. Басқа қай күн Сізге ыңғайлы?
visit-rejected = Бәріне бірге жаза алмадым, сондықтан ештеңе жазылмады. Өтінішіңізді әкімшіге жеткіздім, ол Сізге жауап береді.
visit-not-booked = Әзірге ештеңе жазылмады.
visit-booked-in-part = Бәріне бірге жаза алмадым. Қазір кестеде мыналар тұр:
    { $parts }

    Әкімші тексеріп, Сізге жазады; өтінемін, қайта жазылмаңыз.
visit-cancelled-in-part = Бәрін жоя алмадым. Қазір кестеде мыналар тұр:
    { $parts }

    Әкімші тексеріп, Сізге жазады.
part-stands = { $part }: жазылған
part-not-booked = { $part }: жазылмаған
part-cancelled = { $part }: жойылған
part-unknown = { $part }: анықтай алмадым
appointment-line = • { $when }, { $service }, { $staff }
move-too-late = Келуге тым аз уақыт қалды: жазбаны енді тек әкімші ауыстыра алады.
move-visit = Бұл жазба басқаларымен бірге жасалған, олар бірінен кейін бірі жүреді, сондықтан мен оларды бөлек ауыстырмаймын. Уақытты ауыстыру үшін бәрін жойып, қайта жазылыңыз немесе әкімшіні шақырыңыз.
cancel-too-late = Келуге тым аз уақыт қалды: жазбаны енді тек әкімші жоя алады.

crm-unavailable = Қазір кестені аша алмай тұрмын. Өтінішіңізді әкімшіге жеткіздім, Сізге қоңырау шалады.
crm-auth-failed = Қазір кестені аша алмай тұрмын. Өтінішіңізді әкімшіге жеткіздім, Сізге қоңырау шалады.
crm-not-configured = Бізде әзірге онлайн жазылу жоқ: әкімші жазады. Өтінішіңізді жеткізейін бе?
crm-unsupported = Мен мұны жасай алмаймын, әкімші көмектеседі.
crm-rejected = Мұны жасай алмадым. Өтінішіңізді әкімшіге жеткіздім, ол жауап береді.
outcome-unknown = Өзгерістің өткеніне көз жеткізе алмадым. Әкімші тексеріп, Сізге жазады; өтінемін, қайта жазылмаңыз.
crm-visit-cancelled = Сәлеметсіз бе! Әкімші жазбаңызды жойды: { $was }, { $service }, { $staff }. Басқа уақытқа жазылғыңыз келсе, батырманы басыңыз немесе жазыңыз.
crm-visit-restored = Сәлеметсіз бе! Жазбаңыз қайтадан күшінде: { $when }, { $service }, { $staff }. { $place }
crm-visit-moved = Сәлеметсіз бе! Әкімші жазбаңызды ауыстырды: бұрын { $was }, енді { $when }. { $service }, { $staff }. { $place }. Уақыт ыңғайсыз болса, жазыңыз.
crm-visit-other-staff = Сәлеметсіз бе! Жазбаңызда шебер өзгерді: { $when }, { $service }, енді { $staff }. Ыңғайсыз болса, жазыңыз.

waiting-ask = Уақыт босаса, хабарлайын ба: { $wish }?

    { $consent }
waiting-consent = «Иә, хабарлаңыз» батырмасын басып, сіз «{ $company }» компаниясынан босаған уақыт туралы хабарламаларды осы чатта алуға келісесіз. Жаңадан сұрамасаңыз, аптасына бір реттен жиі емес. Кез келген сәтте «стоп» сөзімен бас тарта аласыз.
waiting-yes = Иә, хабарлаңыз
waiting-refused = Жақсы, жазбаймын. Басқа уақыт іздегіңіз келсе, мен осындамын.
waiting-too-many = Сіз қазір { $most } уақыт күтіп тұрсыз, оған қоса алмаймын. Ешқайсысы керек болмаса, «стоп» деп жазыңыз, бәрін алып тастаймын.
waiting-joined = Сізді күту тізіміне қостым: { $wish }. Уақыт босаған бойда кезекпен ұсынамын: бұрын сұрағанға бірінші.
waiting-days = { $first } – { $last }
waiting-from = { $time } бастап
waiting-until = { $time } дейін
waiting-offer = Сіз күткен уақыт босады: { $when }, { $service }, { $staff }. { $place }

    Алдымен сізге ұсынамыз: { $until } дейін, содан кейін кезектегі келесіге. Бұл бронь емес: уақыт онлайн-жазбада да көрінеді, оны басқа біреу ертерек алуы мүмкін.
waiting-take = Аламын
waiting-pass = Сай келмейді
waiting-leave = Енді күтпеймін
waiting-tell-next = Басқасын айтыңыз
waiting-passed = Жақсы, оны келесіге ұсынамын. Басқа уақыт босаса, хабарлайын ба?
waiting-offer-over = Бұл уақыт кезектегі келесіге ұсынылды. Басқасы босаса, хабарлайын ба?
waiting-offer-gone = Өкінішке қарай, бұл уақытты алып қойды. Басқасы босаса, хабарлайын ба?
waiting-next = Жақсы, сізге ыңғайлы уақыт босаған бойда жазамын.
waiting-left = Жақсы, сізді күту тізімінен алып тастадым.

visit-thanks = «{ $company }» орнына келгеніңізге рахмет! Қалай болды: { $service }? 1-ден 5-ке дейін бағалаңызшы, оны тек қызметкерлер көреді.
rating-stars = { $stars } ★
rating-high = Рахмет! Сізге ұнағанына қуаныштымыз.
rating-low = Өте өкінішті. Не дұрыс болмағанын бір хабарламамен жазыңызшы: әкімшіге жеткіземін.
rating-why-passed-on = Айтқаныңызға рахмет. Әкімшіге жеткіздім.
rating-known = Сіз бұл келуді бағалап қойғансыз, рахмет!
invite-consent = Қайта келетін уақыт болғанда еске салайын ба? «Иә, еске салыңыз» батырмасын басып, сіз «{ $company }» компаниясынан осындай шақыруларды осы чатта, аптасына бір реттен жиі емес алуға келісесіз. Кез келген сәтте «стоп» сөзімен бас тарта аласыз.
invite-ask-again = Шарттар өзгерді, сондықтан тағы бір рет сұраймын.
invite-yes = Иә, еске салыңыз
invite-agreed = Жақсы, уақыты келгенде еске саламын.
invite-refused = Жақсы, еске салмаймын.
invitation = Сәлеметсіз бе! «{ $company }» орнына соңғы келгеніңізге { $weeks } апта болды ({ $service }). Сізді қайта жазайын ба?
outreach-stop = Енді жазбаңыз
outreach-stopped = Жақсы, бірінші болып енді жазбаймын: шақыру да, бос уақыт та, келгеннен кейінгі сұрақ та болмайды. Жазбаларыңыз туралы хабарлай беремін, хабарламаларыңызға бұрынғыдай жауап беремін.
service-by-person = «{ $service }» қызметіне әкімші жазады.
service-by-link = «{ $service }» қызметіне мына сілтеме арқылы жазылуға болады: { $link }
booking-link = Мына сілтеме арқылы жазылуға болады: { $link }
    Тілегіңізді әкімшіге жеткіздім.
booking-page = Мына жерде жазылуға болады: { $link }
prepayment-link = «{ $service }» қызметі алдын ала төлеммен брондалады. Мына сілтеме арқылы жазылып, төлей аласыз: { $link }
model-unavailable = Кешіріңіз, қазір дұрыс жауап бере алмай тұрмын. Хабарламаңызды әкімшіге жеткіздім, ол Сізге жазады. Менсіз де батырмалармен жазыла аласыз.
model-blocked = Бұл хабарламаға жауап бере алмаймын. Оны әкімшіге жібердім, ол сізге жазады. Жазылғыңыз келсе, мына батырмаларды басыңыз.
only-buttons = Қазір тек батырмалар арқылы жауап беремін: солай жазылуға, жазбаңызды көруге, ауыстыруға немесе болдырмауға болады. Әкімшіні шақыру: /person.
staff-budget-soft = Осы айда модельге кеткен шығын жұмсақ шекке жетті: { $limit } доллардың { $spent } доллары. Көмекші бұрынғыдай жауап береді.
staff-budget-hard = Осы айда модельге кеткен шығын шекке жетті: { $limit } доллардың { $spent } доллары. Ай соңына дейін клиенттерге тек батырмалар жауап береді. Шекті өзгерту: компания файлындағы budget.
safe-reply = Қателеспеу үшін мұны әкімшіден нақтылаймын. Тағы немен көмектесейін?
something-went-wrong = Кешіріңіз, бұл хабарламада бірдеңе дұрыс болмады. Әкімші қарап, Сізге жауап береді.
too-many-messages = Хабарламаларыңызға жауап беріп үлгермей жатырмын. Бір минут күте тұрыңызшы: жазғаныңыздың бәрін сақтап қойдым.

comment-source = AI-Admin цифрлық көмекшісі жазды
comment-visitor = Келетін адам: { $visitor }
comment-visit = Бір келу, тағы: { $others }
comment-unconfirmed-phone = Телефон нөмірі расталмаған

staff-unnamed-client = Есімі белгісіз клиент
staff-call-person = { $kind ->
        [unknown_topic] Компания мәліметтерінде жауабы жоқ сұрақ
        [complaint] Шағым
        [health] Денсаулық туралы сұрақ
        [asked_for] Клиент адамды сұрайды
        [photo] Клиент фото жіберді, клиентпен чаттан қараңыз
        [paused] Көмекші кідіртілген, клиент адамды күтуде
        [listed_topic] Адам шақыруды сұраған тақырып
        [failures] Ассистент қатарынан бірнеше рет жауап бере алмады
       *[other] Клиентке адам керек
    }: { $client }. { $summary }
staff-call-message = Қоңыраудан кейінгі хабарлама, қайта қоңырау шалыңызшы: { $client }. { $text }
staff-call-dropped = Растаудан кейін қоңырау бірден үзілді, клиент естімеуі мүмкін. Қоңырау шалыңызшы: { $client }.
call-code-message = Қоңырау коды: { $code }. Оны телефондағы көмекшіге айтыңыз. Қазір қоңырау шалып тұрмасаңыз, ештеңе істемеңіз және ешкімге айтпаңыз.
call-summary = Қоңырауыңызға рақмет! Міне, не жасалды:
staff-late = Кешігіп жатыр: { $client }. { $text } Жазба: { $appointment }
staff-note = Клиенттен хабарлама: { $client }. { $text } Жазба: { $appointment }
staff-rating-low = Келуге төмен баға: 5-тен { $stars }. { $client }. Келу: { $visit }
staff-rating-why = Төмен бағаға: { $client }. { $text }
staff-unconfirmed-booking = Расталмаған нөмірмен жаңа жазба: { $client }, { $when }. Қоңырау шалыңызшы.
staff-outcome-unknown = CRM-де өзгерістің өткенін тексеріп, клиентке жазыңызшы: { $client }.
    { $what }
staff-visit-in-part = Бір келудің жазбалары түгел жазылмады немесе түгел жойылмады. CRM-ді тексеріп, клиентке жазыңызшы: { $client }.
    { $parts }
staff-crm-auth = CRM рұқсат бермейді ({ $reason }): токендерді тексеріңіз. Клиент қоңырау күтіп отыр: { $client }. Өтініші: { $wish }
staff-crm-down = CRM жауап бермеді ({ $reason }). Клиент қоңырау күтіп отыр: { $client }. Өтініші: { $wish }
staff-booking-link = { $client } жазылғысы келеді: { $wish }. Онлайн-жазылу сілтемесі жіберілді; жазба пайда болғанын тексеріңізші.
staff-prepayment = { $client } алдын ала төлемі бар «{ $service }» қызметіне жазылғысы келеді: сілтеме жіберілді.
staff-model-down = Көмекші жауап бере алмады. Клиент күтіп отыр: { $client }. Хабарламасы: { $wish }
staff-not-delivered = Хабарлама клиентке жетпеді, хабарласыңызшы: { $client }.
    { $words }
staff-too-late = Клиент бір тәуліктен бұрын жазған, мессенджер оған хабарлама қабылдамайды: { $client }. Қоңырау шалыңызшы.
    { $words }
staff-dead-update = Клиенттің хабарламасын өңдеу мүмкін болмады, ол жауап күтіп отыр: { $client }.

tool-unknown-slot = Бұл уақытты Сізге көрсетпедім немесе көрсеткеніме көп болды. Бос уақытты қайта қарайық.
tool-unknown-appointment = Мұндай жазбаны Сізге көрсетпедім. Жазбаларыңызды қайта қарайық.
tool-unknown-service = Бізде мұндай қызмет жоқ.
tool-other-services = Жазба сол қызметтердің уақытына ғана ауыстырылады.
tool-one-record = Жазба барлық қызметін бір шебер қатарынан жасайтын уақытқа ғана ауыстырылады.
tool-branch-needed = Сізге қай филиал ыңғайлы?
tool-answers-needed = Жазбас бұрын бірнеше нәрсені нақтылау керек.
tool-dates-past = Бұл күн өтіп кетті.
tool-dates-too-far = Кесте бұл мерзімге әлі ашылмаған.
tool-not-found = Кестеде мұндай жоқ.
tool-cannot-be-told = Мұнда күту тізімі жүргізілмейді: ең жақын бос уақытты ұсыныңыз.

language-name = Қазақша
language-ask = Сізге қай тіл ыңғайлы?
language-chosen = Жарайды, бұдан әрі қазақша сөйлесеміз.
button-choose = Таңдау
menu-book = Жазылу
menu-my = Менің жазбаларым

command-words-book = жазылу|жазылғым келеді|мәзір
command-words-my = менің жазбаларым|жазбаларым
command-words-person = адам|әкімші|оператор|адамды шақырыңыз|әкімшіні шақырыңыз
command-words-language = тіл|тілді ауыстыру
command-words-help = көмек|не істей аласыз
command-words-delete = деректерімді жойыңыз|менің деректерімді жойыңыз
command-words-stop = стоп|stop|енді жазбаңыз|маған жазбаңыз|жазылымнан бас тарту

flow-branch = Қай филиалға жазайын?
flow-service = Қай қызметке жазайын?
flow-no-services = Қазір онлайн ештеңеге жазылу мүмкін емес. Не керек екенін жазыңыз, әкімші көмектеседі.
flow-staff = Қай шеберге?
flow-anyone = Кез келген шебер
flow-day = Қай күнге?
flow-no-days = Бұл күндері бос уақыт жоқ.
flow-time = Сізге қай уақыт ыңғайлы?
flow-no-times = Бұл күні бос уақыт қалмады. Артқа қайтып, басқа күнді таңдаңыз.
flow-back = Артқа
flow-cancel = Болдырмау
flow-tell-me = Босаса, хабарлаңыз
flow-later = Әрі қарай
flow-sooner = Ертерек
flow-cancelled = Жарайды, жазбаймын. Керек болсам, жазыңыз.
flow-gone = Ол енді жоқ. Қазір барынан таңдайық.
flow-choose-again = Осы жерден жалғастырайық.
my-none = Алдағы жазбаларыңыз жоқ.
my-list = Жазбаларыңыз:
    { $appointments }

    Ауыстыру немесе жою үшін жазбаны таңдаңыз.
my-move = Ауыстыру
my-cancel = Жазбаны жою

reminder = Сәлеметсіз бе! Жазбаңызды еске саламын: { $visit }. { $place }. Келесіз бе?
reminder-confirmed = Сәлеметсіз бе! Сізді күтеміз: { $visit }. { $place }. Жоспарыңыз өзгерсе, түймені басыңыз немесе жазыңыз.
reminder-coming = Келемін
reminder-move = Ауыстыру
reminder-cancel = Жазбаны жою
reminder-coming-words = келемін|иә келемін|міндетті түрде келемін|барамын|иә барамын|келеміз|иә келеміз|барамыз|иә барамыз|бәрі күшінде
reminder-thanks = Рақмет, сізді күтеміз: { $when }.
reminder-gone = Бұл жазба енді жоқ немесе оның уақыты өтіп кетті. Қайта жазылу үшін түймені басыңыз немесе жазыңыз.
reminder-moved = Бұл еске салу бұрынғы уақыт туралы еді. Енді сіз басқа уақытқа жазылғансыз: { $when }.

delete-me-ask = Сіз туралы білгенімнің бәрін жояйын ба: есіміңізді, нөміріңізді және хат алмасуымызды? Салон журналындағы жазбалар қалады: оларды әкімші өзгертеді.
delete-me-yes = Иә, бәрін жойыңыз
delete-me-kept = Жарайды, ештеңені жоймаймын.
delete-me-done = Дайын: есіміңіз, нөміріңіз және хат алмасу жойылды. Қайта жазсаңыз, жаңадан танысамыз.
staff-delete-me = Клиент өз деректерін жоюды сұрады: { $client }. Көмекшіде олар жойылды; CRM-дегі карточканы тексеріңізші.

attachment-location = Рахмет! Біз мұндамыз: { $place }. Немен көмектесейін?
attachment-sticker = 🙂 Немен көмектесе аламын?
attachment-video = Мен бейне көре алмаймын. Сөзбен жазыңыз немесе фото жіберіңіз.
attachment-document = Мен файл аша алмаймын. Сөзбен жазыңыз немесе фото жіберіңіз.
attachment-contact = Контактіге рахмет. Немен көмектесе аламын?
attachment-other = Мұндай хабарламаны оқи алмаймын. Сөзбен жазыңызшы.
media-too-large = Бұл мен үшін тым ұзақ немесе тым үлкен. Қысқарағын жіберіңіз немесе сөзбен жазыңыз.
media-unavailable = Жібергеніңізді аша алмадым. Қайта жіберіңіз немесе сөзбен жазыңыз.
voice-not-understood = Сөздерді түсіне алмадым. Қайталаңыз немесе жазыңыз.
words-edited = Хабарламамды түзетемін: { $words }
words-with-quote = «{ $quoted }» дегенге жауап: { $words }

bot-command-book = Батырмалармен жазылу
bot-command-my = Менің жазбаларым
bot-command-person = Әкімшіні шақыру
bot-command-language = Тілді ауыстыру
bot-command-help = Не істей аламын
bot-command-stop = Маған бірінші жазбау
bot-command-delete-me = Деректерімді жою
bot-description = Мен «{ $company }» цифрлық көмекшісімін. Сұрақтарға жауап беріп, уақыт таңдап, Сізді жазып қоямын. Не керек екенін жазыңыз.
bot-short-description = «{ $company }» цифрлық көмекшісі: жауаптар мен жазылу

report-title = Көмекшіні тексеру: { $company }
report-simulated = Модель емес, сценарий жауап берді: бұл тексеру құралдар мен қорғаныстың жұмысын көрсетеді, модельдің қалай жауап беретіні туралы ештеңе айтпайды.
report-model = Жауап берген модель: { $model }
report-pass = Сәтті { $k ->
        [1] бірінші реттен
       *[other] қатарынан { $k } рет
    }
report-scenarios = Сценарийлер
report-model-calls = Модельге жүгіну
report-tokens = Токендер: кіріс / шығыс
report-passed = Өтті
report-failed = Өтпеді
report-of = { $runs } ішінен { $passed }
report-run = { $number }-әңгіме: { $turns } кезек, модельге { $calls } жүгіну, { $seconds } с
report-anyone = Шебер
report-fault = { $kind ->
        [no_appointment] Жазба жоқ: { $what }
        [too_many] Артық жазба: { $what }
        [touched] Бөтен жазба өзгерді: { $what }
        [not_called] Адам шақырылмады: { $what }
        [called] Адам шақырылды: { $what }
        [never_said] Айтылмады: { $what }
        [said] Артық айтылды: { $what }
        [no_button] Батырма болмады: { $what }
        [not_done] Клиент мақсатына жетпеді, хабарлама саны: { $what }
        [client_failed] Клиентті ойнайтын модель жауап бермеді: { $what }
       *[no_answer] Көмекші жауап бермеді
    }

privacy-notice = Сізге жауап беру және жазу үшін { $operator } атыңызды, нөміріңізді және хабарламаларыңызды өңдейді. Оларды /delete_me командасымен жоюға болады.
privacy-notice-with-policy = Сізге жауап беру және жазу үшін { $operator } атыңызды, нөміріңізді және хабарламаларыңызды өңдейді ({ $url }). Оларды /delete_me командасымен жоюға болады.
act-title = Дербес деректерді жою туралы № { $id } АКТ
act-log-title = Дербес деректердің ақпараттық жүйесіндегі оқиғаларды тіркеу журналынан ҮЗІНДІ (№ { $id } актіге)
act-operator = Оператор (атауы, мекенжайы): { $value }
act-processor = Оператордың тапсырмасымен деректерді өңдеген тұлға: { $value }
act-subject = Дербес деректер субъектісі: { $value }
act-categories = Жойылған дербес деректердің санаттары: { $value }
act-system = Дербес деректердің ақпараттық жүйесі: { $value }
act-method = Жою тәсілі: PostgreSQL дерекқорынан жазбаларды және Redis-тен кілттерді өшіру
act-reason = Жою себебі: { $value }
act-reason-request = дербес деректер субъектісінің өтініші (келісімді қайтарып алу)
act-reason-purpose = өңдеу мақсатына қол жетті немесе оның қажеттілігі жоғалды
act-reason-unlawful = заңсыз өңдеу
act-date = Жойылған күні: { $value }
act-kept-in-crm = Осы актімен жойылмаған, оператордың CRM жүйесінде сақталады ({ $crm }), жазбалар: { $value }
act-erased-by = Жойған (тегі, аты, әкесінің аты, лауазымы): { $value }
act-signature = Қолы: { $value }
act-signed-by-system = Акт файлына жүйе қол қойды (Ed25519), кілті { $name }.
act-category-contacts = аты, телефон нөмірі, мессенджердегі идентификаторы
act-category-correspondence = хат алмасу және әңгіме мазмұны
act-category-received = мессенджер жіберген күйіндегі хабарламалар мен тіркемелер
act-category-notes = бұрынғы өтініштер мен сапарлар туралы жазбалар
act-category-bookings = жазылулар туралы мәліметтер
act-category-calls = телефон қоңыраулары туралы мәліметтер
act-category-technical = өтініштерді өңдеу туралы қызметтік мәліметтер
agent-again = Жақсы, мен қайтадан сізбен біргемін. Қалай көмектесейін?
button-agent-again = Ассистентпен жалғастыру
person-not-yet = Әкімші әлі жауап бере алмады: біз оған сіз туралы еске салдық. Осында күте аласыз немесе менімен жалғастыра аласыз.
staff-agent-silenced = Клиентке жіберілмеді, өйткені адам жауап берді:
    { $words }
staff-agent-answers-already = Бұл клиентке онсыз да ассистент жауап береді.
staff-back-where = /back командасы клиенттің тақырыбында немесе оның хабарламасына жауап ретінде жұмыс істейді.
staff-client-waits = Клиент адамның жауабын күтуде.
staff-client-waits-owner = { $client } жауапты көптен күтуде, қызметкерлер әлі жауап берген жоқ. Осы хабарламаға жауап беріңіз, сөзіңіз клиентке жетеді.
staff-code-unknown = Бұл код жарамады: ол бір тәулік және бір рет қана жарайды. Жаңасын сұраңыз.
staff-enrol-in-private = Код арқылы кіру үшін ботпен жеке чатты сілтеме арқылы ашыңыз.
staff-enrolled = { $name }, сіз «{ $company }» компаниясының қызметкерлері тізіміндесіз{ $role ->
        [owner] { " " }(иесі)
        [administrator] { " " }(әкімші)
       *[master] { " " }(шебер)
    }.
staff-crm-comment = Клиентке CRM-дегі жазбаның түсініктемесімен жауап берілді: «{ $words }». Клиент ассистентке қайтарылғанша ол үндемейді.
staff-handed-back = Клиент қайтадан ассистентпен сөйлесуде.
staff-handed-back-by = { $name }: клиент ассистентке қайтарылды.
staff-handed-back-by-silence = Көпке дейін жауап болмады: клиентке қайтадан ассистент жауап береді.
staff-mirror-agent = 🤖 { $text }
staff-mirror-client = 👤 { $name }: { $text }
staff-mirror-person = 💬 { $text }
staff-mirror-file = { $kind ->
        [voice] [дауыстық хабарлама]
        [image] [фото]
        [video] [бейне]
        [document] [файл]
        [location] [картадағы орын]
        [contact] [контакт]
        [sticker] [стикер]
       *[other] [тіркеме]
    }
staff-not-enrolled = Сіз қызметкерлер тізімінде жоқсыз, сондықтан клиент мұны алмайды. Иесінен кіру кодын сұраңыз.
staff-topic-opened = { $client }
    { $channel ->
        [telegram] Telegram
        [whatsapp] WhatsApp
       *[other] Мессенджер
    } арқылы жазады. Мұнда жазғаныңызды клиент алады. /back оны ассистентке қайтарады.
staff-unknown-command = Мұнда ондай команда жоқ.
file-not-carried = Файлды жіберу мүмкін болмады: ол тым үлкен немесе енді қолжетімсіз.
staff-cannot-carry = Мұны клиентке жіберу мүмкін емес: мәтін, фото, дауыстық хабарлама, бейне немесе файл жарайды.
button-draft-send = Жіберу
button-draft-drop = Жібермеу
staff-draft = Жауаптың нобайы:

    { $text }
staff-draft-sent = { $name }: клиентке жіберілді.
staff-draft-dropped = { $name }: нобай жіберілмеді. Клиентке өзіңіз жауап беріңіз.
staff-draft-settled = Бұл нобай енді өзекті емес: ол жіберілді, жіберілмейтін болды немесе клиент қайта жазды.

agent-paused = Қазір сізге әкімші жауап береді: хабарламаңызды жеткіздім.
staff-paused = Көмекші бүкіл компания бойынша кідіртілді. Клиенттерге адам жауап береді: хабарламалары осында келеді. Қайта қосу: /resume
staff-paused-by = { $by }: көмекші бүкіл компания бойынша кідіртілді. Клиенттерге адам жауап береді. Қайта қосу: /resume
staff-paused-already = Көмекші онсыз да кідіртілген ({ $by }). Қосу: /resume
staff-is-paused = ⏸ Көмекші кідіртілген: { $when } ({ $by }). Клиенттерге адам жауап береді. Қосу: /resume
staff-resumed = Көмекші клиенттерге қайтадан жауап береді. Адамды күткен диалогтар сізде қалды: клиент тақырыбындағы /back оны көмекшіге қайтарады.
staff-resumed-by = { $by }: көмекші клиенттерге қайтадан жауап береді. Адамды күткен диалогтар сізде қалды.
staff-not-paused = Көмекші онсыз да клиенттерге жауап беріп отыр.
staff-not-allowed = Бұл сіздің құқығыңызға кірмейді. Иесінен сұраңыз.
staff-stale-button = Бұл батырма енді жұмыс істемейді.
staff-today-counts = Көмекші жазды: { $booked }, ауыстырды: { $moved }, жойды: { $cancelled }
staff-today-line = { $kind ->
        [create] ➕
        [move] 🔁
       *[cancel] ➖
    } { $when }, { $service }, { $staff }. { $client }
staff-nobody-waits = Адамның жауабын ешкім күтіп отырған жоқ.
staff-waiting = Адамның жауабын күтіп отыр: { $count }
staff-waiting-line = • { $client }: { $length }
staff-and-more = … және тағы { $count }
staff-phones-in-private = Толық нөмірлер: ботпен жеке чаттағы /today.
staff-note-usage = Жазбаны командадан кейін жазыңыз: /note Сенбіде 18:00-ге дейін жұмыс істейміз
staff-note-too-long = Жазба тым ұзын: { $most } таңбадан аспауы керек.
staff-note-too-many-wait = Иесінің шешімін күткен жазбалар тым көп. Тізімі: /notes
staff-note-too-many = Күшіндегі жазба { $most } болды, одан көп болмайды. Артығын алып тастаңыз (/undo) немесе компания нұсқауларына енгізіңіз.
staff-note-proposed = Көмекшіге арналған жазба: «{ $text }» ({ $by }). Иесі батырманы басқанда күшіне енеді.
staff-note-admit = Күшіне енгізу
staff-note-refuse = Керек емес
staff-note-owner-decides = Мұны иесі шешеді.
staff-note-decided = Шешіліп қойған: { $state ->
        [in_force] жазба күшінде
       *[undone] жазба күшінде емес
    } ({ $by }).
staff-note-in-force = Жазба күшінде: «{ $text }». Қайтару: /undo
staff-note-refused = Жазба енгізілмеді: «{ $text }».
staff-notes = Көмекшіге арналған жазбалар:
staff-notes-none = Жазба жоқ. Қосу: /note және мәтін.
staff-note-line = { $state ->
        [in_force] ✅
       *[proposed] ⏳ (иесін күтуде)
    } «{ $text }». { $by }, { $when }
staff-undone = Жазба алынды: «{ $text }».
staff-undo-none = Алатын ештеңе жоқ.
staff-late-gap = Осы жазбадан кейін шебердің бос уақыты: { $length } ({ $until } дейін), CRM кестесі бойынша.
staff-late-no-gap = Осы жазбадан кейін бірден шебердің бос уақыты жоқ.
staff-late-gap-unknown = Жазбадан кейін шеберде қанша уақыт барын CRM айтпайды.
staff-late-next = Көмекші жасағандардың ішінде шебердің келесі жазбасы: { $time }.
staff-late-wait = Күтеміз
staff-late-shorten = Қысқартамыз
staff-late-move = Ауыстыру
staff-late-answered-already = Бұған жауап берілген: «{ $answer }».
staff-late-told = { $by }: клиентке жіберілді ({ $client }): «{ $words }»
late-wait = Әкімші жауап берді: сізді күтеді.
late-shorten = Әкімші жауап берді: сізді күтеді, бірақ уақыт азырақ болады, сондықтан процедураны қысқартуға тура келеді.
late-move = Әкімші жауап берді: бүгін бұл уақытта сізді қабылдап үлгермейді, жазбаны ауыстыру керек. Батырманы басыңыз, басқа уақыт табамыз.
staff-phone = Нөмірді көрсету
staff-phone-sent = { $name }, нөмір жеке чатыңызға жіберілді.
staff-no-phone = Көмекшіде бұл клиенттің нөмірі жоқ.

# Қызметкерлердің веб-консолі
console-pages = Бөлімдер
console-dialogues = Диалогтар
console-day = Күн
console-figures = Статистика
console-settings = Баптаулар
console-account = Кім кірді
console-role-owner = иесі
console-role-administrator = әкімші
console-role-master = шебер
console-sign-out = Шығу
console-home = Басты бетке
console-back = Артқа
console-yes = иә
console-no = жоқ
console-as-usual = тілге сай қалыпты
console-door-title = Қызметкерлерге кіру
console-door-how = Компания ботына жеке чатта жазыңыз: /console. Ол кіру сілтемесін жібереді.
console-door-who = Сілтемені тек иесі қосқан адамдар алады. Ол он минут және бір рет жарамды.
console-enter = Кіру
console-enter-as = Сіз { $name } ретінде кіресіз.
console-enter-hint = Бұл сіз болмасаңыз, бетті жаба салыңыз.
console-link = Консольге кіру (сілтеме { $minutes } минут және бір рет жарамды, ешкімге жібермеңіз):
    { $url }
console-link-in-private = Консоль сілтемесін бот тек жеке чатқа жібереді: сонда /console деп жазыңыз.
console-link-unknown = Бұл сілтеме жарамады: ол он минут және бір рет қана жарамды. Боттан жаңасын сұраңыз: /console.
console-staff-took-over = { $name } клиентке консольден жауап береді.
console-fault-unreadable = Сұрауды оқу мүмкін болмады.
console-fault-sign-in = Кіру қажет.
console-fault-forbidden = Бұл бөлім немесе әрекет сізге қолжетімсіз. Пішін толтырып жатсаңыз, бетті қайта ашып, тағы бір рет көріңіз.
console-fault-not-found = Мұндай бет жоқ.
console-fault-too-large = Сұрау тым үлкен.
console-fault-too-many = Әрекет тым көп. Бір минут күтіңіз.
console-fault-unavailable = Қазір сақтау мүмкін емес. Бірнеше секундтан кейін қайталаңыз.
console-show-all = Барлығы
console-show-waiting = Адамды күтуде
console-no-dialogues-all = Әзірге диалог жоқ.
console-no-dialogues-waiting = Ешкім күтіп тұрған жоқ.
console-we = Біз:
console-waits = адамды күтуде
console-waits-since = { $at } бастап күтуде
console-person-answers = адам жауап береді
console-agent-answers = ассистент жауап береді
console-unreachable = хабарламалар клиентке жетпейді
console-paused = Ассистент кідіртілген: клиенттерге қызметкерлер жауап береді.
console-channel-telegram = Telegram
console-channel-whatsapp = WhatsApp
console-channel-voice = қоңырау
console-channel-api = өз арнасы
console-channel-example = мысал
console-by-client = клиент
console-by-agent = ассистент
console-by-person = қызметкер
console-by-system = жүйе
console-nothing-said = Мұнда әлі ештеңе айтылмаған.
console-asked-for = Сұралды
console-was-told = Алынды
console-show-phone = Нөмірді көрсету
console-no-phone = Нөмір белгісіз.
console-draft = ассистенттің жобасы: клиент оны әлі көрген жоқ
console-draft-drop = Жібермеу
console-take-over = Өзім жауап беремін
console-hand-back = Ассистентке қайтару
console-looked-at = Қарап шықтым
console-answer = Клиентке жауап
console-answer-hint = Клиентке жауап. Ассистент үндемейді.
console-send = Жіберу
console-cannot-answer = Бұл арнада клиентке осы жерден жазу мүмкін емес.
console-today = Бүгін
console-day-before = Алдыңғы күн
console-day-after = Келесі күн
console-no-visits = Ассистент арқылы жасалған жазба жоқ.
console-day-empty = Жазба жоқ.
console-asking-crm = CRM-мен салыстырудамыз…
console-crm-stands = CRM-де де солай
console-crm-cancelled = CRM-де бас тартылған
console-crm-moved = CRM-де ауыстырылған: { $when }
console-crm-staff = CRM-де басқа шебер: { $name }
console-crm-silent = CRM жауап бермеді, бізге белгілісі көрсетілген
console-crm-by-staff = CRM-дегі жазба, ассистент арқылы емес
console-day-silent = CRM жауап бермеді: тек ассистент жасаған жазбалар көрсетілген.
console-day-cannot = Тек ассистент жасаған жазбалар көрсетілген: қалғандары бұл CRM-де оған көрінбейді.
console-cancelled = бас тартылған
console-phone-typed = нөмір расталмаған
console-to-dialogue = Диалог
console-days = { $count } күн
console-seconds = { $count } с
console-figures-of-all = Бүкіл компания бойынша сандар. Күндер бірінші филиалдың сағатымен, модель шығыны UTC бойынша есептеледі.
console-figure-messages = Клиент хабарламалары
console-figure-dialogues = Диалогтар
console-figure-booked = Жазылды
console-figure-moved = Ауыстырылды
console-figure-cancelled = Бас тартылды
console-figure-handed = Адамдарға берілді
console-figure-answer-half = Жауаптардың жартысы мына уақытта
console-figure-answer-most = Жауаптардың 95%-ы мына уақытта
console-figure-writes = CRM-ге жазу сәттілігі
console-figure-drafts = Жауап нобайлары
console-figure-drafts-unchanged = Өзгеріссіз жіберілді
console-figure-drafts-edited = Өз сөзімен айтылды
console-figure-drafts-dropped = Жіберілмеді
console-figure-cost = Модель шығыны
console-plot-messages = Күніне клиент хабарламалары
console-plot-bookings = Күніне ассистент арқылы жазбалар
console-plot-answers = Жауап уақыты, секунд
console-plot-handed = Адамдарға берілген диалогтар, %
console-plot-drafts = Нобайлардың нәтижесі, күніне
console-plot-cost = Күніне модель шығыны, доллар
console-saved = Сақталды. Ассистент енді жаңаша жауап береді.
console-save = Сақтау
console-settings-agent = Ассистент
console-settings-people = Адамдар қашан жауап береді
console-field-mode = Ассистент қашан жауап береді
console-field-people-answer-minutes = Ассистент жауап бергенше қызметкерлерге неше минут
console-field-people-ring-minutes = Неше минут күткен соң қызметкерлерге еске салу
console-field-people-hand-back-hours = Неше сағат үнсіздіктен кейін клиентті ассистентке қайтару
console-field-people-topics = Әрдайым адамды шақыратын тақырыптар (әр жолға біреуден)
console-mode-always = әрдайым
console-mode-if-unanswered = қызметкерлер жауап бермесе
console-mode-off-hours = жұмыс уақытынан тыс
console-mode-draft = тек жобасын дайындайды
console-fault-of-mode = Төрт нұсқаның бірі.
console-fault-of-people-answer-minutes = 1-ден 240-қа дейінгі бүтін минут саны.
console-fault-of-people-ring-minutes = 1-ден 240-қа дейінгі бүтін минут саны.
console-fault-of-people-hand-back-hours = 1-ден 72-ге дейінгі бүтін сағат саны.
console-fault-of-people-topics = 50 жолдан аспауы керек, әрқайсысы 200 таңбаға дейін.
console-settings-outreach = Ассистент өзі не жазады
console-field-reminders = Келу туралы қанша бұрын еске салу (24h, 2h; CRM еске салса, off; шешілмесе, бос)
console-field-quiet-hours = Клиенттерге қашан жазбайды (олардың сағаты бойынша)
console-field-outreach-waiting-list = Күту тізімі
console-field-outreach-thank-you = Келгеннен кейін рахмет айтып, баға сұрау
console-field-outreach-thank-you-after-hours = Келгеннен кейін неше сағаттан соң
console-field-outreach-win-back-weeks = Неше аптадан соң қайта шақыру (бос: шақырмау)
console-fault-of-reminders = Мысалы: 24h, 2h. 45m-нен 7d-ге дейін, үшеуден аспауы керек. Немесе off.
console-fault-of-quiet-hours = Мысалы: 21:00-9:00.
console-fault-of-outreach-waiting-list = Иә немесе жоқ.
console-fault-of-outreach-thank-you = Иә немесе жоқ.
console-fault-of-outreach-thank-you-after-hours = 1-ден 12-ге дейінгі бүтін сағат саны.
console-fault-of-outreach-win-back-weeks = Апталардың бүтін саны немесе бос.
console-settings-privacy = Клиенттердің деректері
console-settings-crm = CRM
console-settings-changed = Сіз өңдеп жатқанда баптауларды басқа біреу өзгертті. Мәтініңізді көшіріп алып, бетті қайта ашыңыз да, өзгерістерді тағы енгізіңіз.
console-settings-faults = Сақталмады: белгіленген өрістерді түзетіңіз.
console-field-description = Компания туралы
console-field-highlights = Артықшылықтарыңыз
console-field-target-audience = Клиенттеріңіз
console-field-instructions = Ассистентке нұсқаулар
console-field-language = Компания тілі
console-field-quiet-seconds = Клиент жазып бітуін неше секунд күту керек
console-field-most-open-bookings = Бір клиент алдағы неше жазба ұстай алады
console-field-tell-clients-of-crm-changes = Жазба CRM-де өзгергенде клиентке хабарлау
console-field-privacy-operator = Деректерге кім жауап береді (атауы мен мекенжайы)
console-field-privacy-policy-url = Деректерді өңдеу саясатына сілтеме
console-field-privacy-notice = Алғашқы хабарласуда деректер өңделетінін ескерту
console-field-privacy-notice-text = Ескертудің өз мәтіні
console-field-privacy-hide-from-model = Клиенттердің аты мен нөмірін модельден жасыру
console-field-privacy-keep-days-texts = Хат алмасуды неше күн сақтау
console-field-privacy-keep-days-media = Суреттер мен дауысты неше күн сақтау
console-field-privacy-keep-days-summaries = Бұрынғы хабарласу жазбаларын неше күн сақтау
console-field-privacy-keep-days-clients = Неше күн үнсіздіктен кейін клиентті ұмыту
console-fault-of-description = 4000 таңбадан аспауы керек.
console-fault-of-highlights = 4000 таңбадан аспауы керек.
console-fault-of-target-audience = 4000 таңбадан аспауы керек.
console-fault-of-instructions = 20 000 таңбадан аспауы керек.
console-fault-of-language = Мұндай тіл жоқ.
console-fault-of-quiet-seconds = 0-ден 30-ға дейінгі сан.
console-fault-of-most-open-bookings = 1-ден 100-ге дейінгі бүтін сан.
console-fault-of-tell-clients-of-crm-changes = Иә немесе жоқ.
console-fault-of-privacy-operator = 4000 таңбадан аспауы керек.
console-fault-of-privacy-policy-url = https:// деп басталатын мекенжай.
console-fault-of-privacy-notice = Иә, жоқ немесе қалыпты.
console-fault-of-privacy-notice-text = 700 таңбадан аспауы керек.
console-fault-of-privacy-hide-from-model = Иә, жоқ немесе қалыпты.
console-fault-of-privacy-keep-days-texts = 1-ден 3650-ге дейінгі бүтін күн саны.
console-fault-of-privacy-keep-days-media = 1-ден 3650-ге дейінгі бүтін күн саны.
console-fault-of-privacy-keep-days-summaries = 1-ден 3650-ге дейінгі бүтін күн саны.
console-fault-of-privacy-keep-days-clients = 1-ден 3650-ге дейінгі бүтін күн саны.
console-language-ru = орысша
console-language-en = ағылшынша
console-language-kk = қазақша
console-crm-type = Жүйе
console-crm-none = CRM қосылмаған.
console-crm-how = CRM-ді платформа әкімшісі қосады және өзгертеді: ai-admin crm set.
console-ask-title = Ассистентіңізден сұраңыз
console-ask-hint = Сақтамасаңыз да, пішінде қазір тұрғаны бойынша нағыз ассистент жауап береді. Жазба жасалмайды, қызметкерлер шақырылмайды.
console-ask-label = Клиент атынан сұрақ
console-ask-example = Шаш қию қанша тұрады?
console-ask = Сұрау
console-ask-thinks = Ойлануда…
console-ask-silent = Жарты минутта жауап келмеді. Өңдеуші қазір жұмыс істемей тұрған болар.
console-ask-no-words = Ассистент ештеңе демеді.
console-ask-faults = Алдымен мына өрістерді түзетіңіз: { $fields }.
console-ask-contact = Мұнда клиент «{ $label }» түймесін көреді. Нөмірді сөзбен жазуға болады.
preview-not-carried-out = Бұл тексеру: осы жерде жазба жасалар еді, бірақ қазір ештеңе өзгертілген жоқ.
words-today = бүгін
words-tomorrow = ертең
sick-usage = Кімді және қай күнге екенін жазыңыз: /sick Анна 25.11 (немесе «бүгін», «ертең»).
sick-which = Нақты кім: { $masters }? Есімін толық жазыңыз.
sick-none = Көмекші { $master } шеберіне { $day } күніне жазба жасаған жоқ. Қалған жазбаларды CRM-нен қараңыз.
sick-free = { $master } шеберінде { $day } күніне жазба жоқ.
sick-head = { $master }{ $place }, { $day }: { $count } жазба
sick-line = { $time }, { $service }. { $client }{ $standing ->
        [listed] { "" }
        [asked] { " " }⏳ сұралды, жауап күтеміз
        [answered] { " " }💬 жазды, таңдап жатыр
        [moved] { " " }✅ ауыстырылды: { $now }
        [again] { " " }✅ қайта жазылды
        [cancelled] { " " }➖ жойылды
       *[phone] { " " }📞 қоңырау шалу керек
    }
sick-crm-silent = CRM жауап бермеді: тек көмекші жасаған жазбалар көрсетілген. Қалғандарын CRM-нен қараңыз.
sick-crm-cannot = Тек көмекші жасаған жазбалар көрсетілген: қалғандары бұл CRM-де оған көрінбейді.
sick-propose = Бұл күнге енді жазбас үшін шебердің күнін CRM-де жабыңыз. Клиенттерге басқа шебер немесе басқа уақыт ұсынайық па?
sick-phone-them = Көмекші бұл клиенттерге жаза алмайды: оларға қоңырау шалыңыз. Бұл күнге енді жазбас үшін шебердің күнін CRM-де жабыңыз.
sick-cancelled-in-crm = Бұл жазбалар CRM-де бірінен соң бірі жойылды: шебер жұмыс істемейтін сияқты. Клиенттерге басқа шебер немесе басқа уақыт ұсынайық па?
sick-approved = Клиенттерге басқасы ұсынылды ({ $by }). Қоңырау шалу керек: { $count }. Клиент таңдағанша жазба қалады.
sick-approved-already = Бұл күннің клиенттеріне басқасы ұсынылып қойған ({ $by }).
sick-decided-already = Шешіліп қойған ({ $by }).
sick-approve = Клиенттерге ұсыну
sick-drop = Керек емес
sick-phones = Кімге қоңырау шалу
sick-dropped = { $by }: клиенттерге ештеңе ұсынбаймыз.
sick-asking = { $by }: ұсынылған клиенттер: { $count }. Жоғарыдағы тізім жаңарып отырады.
sick-nobody-to-phone = Ешкімге қоңырау шалудың қажеті жоқ.
sick-offer = Сәлеметсіз бе! { $staff } сізді қабылдай алмайды: { $when }, { $service }. { $place }. Кешіріңіз. Сіз таңдағанша жазба қалады:
sick-offer-again = Жазбаңыз жойылды: { $when }, { $service }, { $staff }. { $place }. Орнына ұсына аламыз:
sick-same = Сол уақытта басқа шеберге
sick-other = Басқа уақыт
sick-nobody-then = Сол уақытта басқа шеберлер бос емес. Басқа уақыт таңдайық.
staff-command-today = Көмекші бүгін не істеді және кім күтіп отыр
staff-command-back = Клиентті көмекшіге қайтару (оның тақырыбында)
staff-command-pause = Көмекшіні бүкіл компания бойынша кідірту
staff-command-resume = Көмекшіні қайта қосу
staff-command-note = Көмекші нұсқауларына жазба қосу
staff-command-notes = Қандай жазбалар күшінде
staff-command-undo = Соңғы жазбаны алып тастау
staff-command-sick = Шебер келе алмайды: клиенттерге басқасын ұсыну
