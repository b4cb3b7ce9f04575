"""Each account title in other words, for open questions that must not name their answer."""

from typing import Final

from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.world import TITLES

_WORDS: Final = """
存放在出纳处的纸币和硬币 | notes and coins in the till
赊销后客户尚欠的货款 | what customers owe for goods sold to them
为生产购入的钢材和木料 | steel and timber bought for production
自用的厂房和机器 | the factory and its machines
先付给供应商的定金 | sums paid to suppliers before delivery
购入的专利和商标 | the sole right to an invention
向银行借入、半年内归还的钱 | a current account drawn below zero
赊购后尚欠供应商的货款 | what is owed to suppliers for goods bought
欠员工的本月工资 | pay that staff have earned and not got yet
尚未缴纳的增值税 | value added tax that is not paid over yet
先收到的客户定金 | sums that clients paid before delivery
公司发行的五年期债务凭证 | notes issued to lenders for ten years
股东按面值投入的钱 | what shareholders put in at par
股东投入中超过面值的部分 | what shareholders put in above par
从税后利润中按法律提取的部分 | profit set aside because the law demands it
历年留存、没有分给股东的利润 | profits of past years kept in the company
公司回购、尚未注销的自家股份 | own stock that was bought back
不计入利润的公允价值变动 | the rise of a building's value not put through profit
出售自产商品所得的货款 | what selling the goods brought in
存款从银行得到的利息 | what the bank pays on deposits
持有其他公司股份所得的分红 | what shares in other companies pay out
出租房屋所得的钱 | what tenants pay for the building
代客户办理业务所收的佣金 | commissions charged to clients
与日常经营无关的获赔款 | the surplus over book value when a van is sold
行政部门的办公开支 | pay of the clerks
广告和展览的开支 | posters and television spots
借款应付的利息和汇兑损失 | what the bank charges on loans
按利润计算、应由本期负担的税 | the levy on the profit of the year
试制新产品的开支 | laboratory work on new products
存货跌价所减记的金额 | a machine written down below its book value
"""

GLOSSES: Final[dict[Language, dict[tuple[str, str], str]]] = {"zh": {}, "en": {}}
"""Of each language: title to gloss."""

for _title, _line in zip(
    (title for titles in TITLES.values() for title in titles),
    _WORDS.strip().splitlines(),
    strict=True,
):
    GLOSSES["zh"][_title], _, GLOSSES["en"][_title] = _line.partition(" | ")
