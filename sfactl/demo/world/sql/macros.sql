-- Randomness is a hash of (seed, what for, which row): any row can be made alone, in any order, by any thread.
create or replace temp macro u(i, salt) as
    (hash(xor(xor(i::ubigint, hash(salt)), getvariable('seed')::ubigint)) >> 11)::double / 9007199254740992.0;

-- Box and Muller (1958), doi:10.1214/aoms/1177706645
create or replace temp macro normal(i, salt) as
    sqrt(-2 * ln(1 - u(i, salt))) * cos(6.283185307179586 * u(i, salt || '~'));

create or replace temp macro below(n, i, salt) as floor(u(i, salt) * n)::bigint;

create or replace temp macro draw(deck, i, salt) as deck[1 + floor(u(i, salt) * len(deck))::bigint];

create or replace temp macro digits(n, i, salt) as
    lpad(floor(u(i, salt) * pow(10, n))::bigint::varchar, n::integer, '0');

create or replace temp macro logistic(x) as 1 / (1 + exp(-x));

create or replace temp macro digit(s, k) as ascii(substr(s, k, 1)) - 48;

-- # is any digit, @ any of 1 to 8; at most one @ and one run of #.
create or replace temp macro filled(form, i, salt) as
    regexp_replace(
        replace(form, '@', (1 + below(8, i, salt || '@'))::varchar),
        '#+',
        digits(len(form) - len(replace(form, '#', '')), i, salt)
    );

-- Taiwan: weights 1 2 1 2 1 2 4 1, the digits of the products add up to a multiple of 10.
create or replace temp macro tax_tw(s) as s || (
    (10 - (digit(s, 1) + digit(s, 3) + digit(s, 5)
        + (digit(s, 2) * 2) // 10 + (digit(s, 2) * 2) % 10
        + (digit(s, 4) * 2) // 10 + (digit(s, 4) * 2) % 10
        + (digit(s, 6) * 2) // 10 + (digit(s, 6) * 2) % 10
        + (digit(s, 7) * 4) // 10 + (digit(s, 7) * 4) % 10) % 10) % 10
)::varchar;

-- China: GB 32100-2015, weights 3^(k-1) mod 31 over an alphabet without I, O, S, V and Z.
create or replace temp macro tax_cn(s) as s || substr('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + ((31 - list_sum(
    list_transform(generate_series(1, 17), lambda k: digit(s, k)
        * [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28][k])
) % 31) % 31)::integer, 1);

-- Japan: the corporate number begins with its check digit.
create or replace temp macro tax_jp(s) as (9 - list_sum(
    list_transform(generate_series(1, 12), lambda k: digit(s, k) * (1 + k % 2))
) % 9)::varchar || s;

-- Germany: ISO 7064, MOD 11,10.
create or replace temp macro tax_de(s) as 'DE' || s || ((11 - list_reduce(
    list_transform(generate_series(1, 8), lambda k: digit(s, k)),
    lambda product, next: (if((product + next) % 10 = 0, 10, (product + next) % 10) * 2) % 11,
    10
)) % 10)::varchar;

-- United Kingdom: weights 8 to 2, the last two digits make the sum a multiple of 97.
create or replace temp macro tax_gb(s) as 'GB' || s || lpad((97 - (
    digit(s, 1) * 8 + digit(s, 2) * 7 + digit(s, 3) * 6 + digit(s, 4) * 5 + digit(s, 5) * 4 + digit(s, 6) * 3 + digit(s, 7) * 2
) % 97)::varchar, 2, '0');

-- Singapore: a local company's number ends in a check letter.
create or replace temp macro tax_sg(s) as s || substr('ZKCMDNERGWH', 1 + (
    digit(s, 1) * 10 + digit(s, 2) * 8 + digit(s, 3) * 6 + digit(s, 4) * 4 + digit(s, 5) * 9 + digit(s, 6) * 7 + digit(s, 7) * 5
    + digit(s, 8) * 3 + digit(s, 9)
) % 11, 1);

create or replace temp macro tax(country, i) as case country
    when 'TW' then tax_tw((1 + below(8, i, 'tax'))::varchar || digits(6, i, 'tax.tw'))
    when 'CN' then tax_cn('91310000' || (1 + below(8, i, 'tax'))::varchar || digits(8, i, 'tax.cn'))
    when 'JP' then tax_jp((1 + below(8, i, 'tax'))::varchar || digits(11, i, 'tax.jp'))
    when 'DE' then tax_de((1 + below(8, i, 'tax'))::varchar || digits(7, i, 'tax.de'))
    when 'GB' then tax_gb((1 + below(8, i, 'tax'))::varchar || digits(6, i, 'tax.gb'))
    when 'SG' then tax_sg('20' || lpad(below(24, i, 'tax')::varchar, 2, '0') || digits(5, i, 'tax.sg'))
    when 'US' then (1 + below(8, i, 'tax'))::varchar || '1-' || digits(7, i, 'tax.us')
end;

-- The ASCII of a text in the full-width forms that East Asian keyboards make.
create or replace temp macro wide(s) as translate(
    s,
    '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .-+',
    '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ　．－＋'
);
