"""Encodings, delimiters and line ends: every combination gives the same leads, and nothing is guessed silently."""

from __future__ import annotations

import gzip

import pytest

from sfactl.api.errors import DataError

TEXTS = {
    "zh-Hant": (
        '姓名,公司,電郵\n王小明,台灣精密機械股份有限公司,ming@example.tw\n陳美玲,"鴻海,科技",mei@example.tw\n',
        "王小明",
    ),
    "zh-Hans": (
        '姓名,公司,邮箱\n张伟,深圳市腾讯计算机系统有限公司,wei@example.cn\n李娜,"华为,技术",na@example.cn\n',
        "张伟",
    ),
    "pt": (
        'nome,empresa,email\nJoão Conceição,Padaria São João,joao@example.br\nInês,"Évora, Lda",ines@example.pt\n',
        "João Conceição",
    ),
    "ja": (
        '氏名,会社名,メール\n山田太郎,株式会社東京電機,taro@example.jp\nさくら,"ヤマト,運輸",sakura@example.jp\n',
        "山田太郎",
    ),
}
ENCODINGS = [
    *[(t, e) for t in TEXTS for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")],
    ("zh-Hant", "big5"), ("zh-Hans", "gb18030"), ("zh-Hans", "gbk"), ("pt", "latin-1"), ("pt", "cp1252"), ("ja", "shift_jis"),
]  # fmt: skip
ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}


def with_delimiter(text: str, delimiter: str) -> str:
    """The comma file with another delimiter; commas inside quotes stay."""
    parts = text.split('"')
    return '"'.join(p.replace(",", delimiter) if i % 2 == 0 else p for i, p in enumerate(parts))


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS, ids=lambda v: v)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_every_encoding_and_line_end(read, language: str, encoding: str, end: str) -> None:
    text, first = TEXTS[language]
    content = text.replace("\n", end).encode(encoding)
    if encoding.endswith(("-le", "-be")):  # without a mark only the ASCII in it tells
        content = (
            ("\ufeff" + text.replace("\n", end)).encode(encoding) if language.startswith(("zh", "ja")) else content
        )
    _, rows = read(content)
    assert [row["_problem"] for row in rows] == [None, None]
    assert next(v for k, v in rows[0].items() if not k.startswith("_")) == first


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("encoding", ["utf-8", "big5", "utf-16"])
def test_every_delimiter(read, delimiter: str, encoding: str) -> None:
    _, rows = read(with_delimiter(TEXTS["zh-Hant"][0], delimiter).encode(encoding))
    assert [row["公司"] for row in rows] == ["台灣精密機械股份有限公司", "鴻海,科技"]


def test_gzip_is_read_whatever_its_name(read) -> None:
    _, rows = read(gzip.compress(TEXTS["pt"][0].encode("latin-1")))
    assert [row["nome"] for row in rows] == ["João Conceição", "Inês"]


def test_what_was_chosen_is_told(read) -> None:
    staged, _ = read(TEXTS["zh-Hant"][0].encode("big5"))
    assert staged.facts[0].startswith("Big5")
    assert staged.facts[1:] == ("comma", "header in row 1")


AMBIGUOUS = {
    "two-letters-of-Chinese": "姓名\n王小明\n".encode("gbk"),
    "Czech": "jméno,email\nJiří Dvořák,a@example.cz\n".encode("cp1250"),
    "Korean": "이름,메일\n김철수,a@example.kr\n".encode("euc_kr"),
}


@pytest.mark.parametrize("content", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_ambiguous_encoding_is_never_guessed(desk, content: bytes) -> None:
    with pytest.raises(DataError, match="the encoding is ambiguous") as caught:
        desk.load(content)
    assert "[file] encoding" in (caught.value.hint or "")
    assert desk.rows("select count(*) from leads") == [(0,)]


def test_a_file_of_two_encodings_is_told(read) -> None:
    content = "name,email\nJosé,a@example.tw\n".encode() + "Müller,b@example.tw\n".encode("latin-1")
    with pytest.raises(DataError, match="most lines are UTF-8, but line 3 is not"):
        read(content)


def test_stated_encoding_settles_it(desk) -> None:
    done = desk.load(
        AMBIGUOUS["Czech"], 'schema = 1\n[columns]\nfull_name = "jméno"\nemail = "email"\n[file]\nencoding = "cp1250"\n'
    )
    assert done.new == 1
    assert desk.leads("full_name") == [("Jiří Dvořák",)]


def test_bytes_that_a_stated_encoding_cannot_read_reject_their_row(desk) -> None:
    content = b"name,email\nMing,a@example.tw\n\xff\xfe,b@example.tw\nMei,c@example.tw\n"
    done = desk.load(
        content, 'schema = 1\n[columns]\nfull_name = "name"\nemail = "email"\n[file]\nencoding = "utf-8"\n'
    )
    assert (done.new, done.rejected) == (2, 1)
    assert done.reasons[0].reason == "has bytes that are not UTF-8 (row 3)"


def test_unknown_encoding_name(desk) -> None:
    with pytest.raises(DataError, match=r"file.encoding: unknown encoding 'utf-9'"):
        desk.load("name\nx\n", 'schema = 1\n[columns]\nfull_name = "name"\n[file]\nencoding = "utf-9"\n')
