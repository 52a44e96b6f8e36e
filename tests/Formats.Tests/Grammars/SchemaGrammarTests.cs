using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using EgpuFleet.Kernels.Formats.Grammars;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>Which texts a grammar admits, and which it does not.</summary>
public sealed class SchemaGrammarTests
{
    private const string Weather = """
        {"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["C","F"]},"days":{"type":"integer","minimum":1,"maximum":14},
        "tags":{"type":"array","items":{"type":"string"},"maxItems":2}},"required":["city","unit"],"additionalProperties":false}
        """;

    [Theory]
    [InlineData("""{"city":"Graz","unit":"C"}""", true)]
    [InlineData("""{"city": "Graz", "unit": "F", "days": 14, "tags": []}""", true)]
    [InlineData("{\n  \"city\": \"St. \\\"P\\\" \\u00e9\",\n  \"unit\": \"C\",\n  \"tags\": [\"a\", \"🚀\"]\n}", true)]
    [InlineData("""{"city":"Graz"}""", false)]
    [InlineData("""{"city":"Graz","unit":"K"}""", false)]
    [InlineData("""{"city":"Graz","unit":"C","days":0}""", false)]
    [InlineData("""{"city":"Graz","unit":"C","days":15}""", false)]
    [InlineData("""{"city":"Graz","unit":"C","tags":["a","b","c"]}""", false)]
    [InlineData("""{"city":"Graz","unit":"C","more":1}""", false)]
    [InlineData("""{"city":"Gr"az","unit":"C"}""", false)]
    [InlineData("{\"city\":\"G\naz\",\"unit\":\"C\"}", false)]
    [InlineData("""{"city":"Graz","unit":"C"} and more""", false)]
    [InlineData("", false)]
    public void A_closed_object_of_named_properties(string text, bool isAdmitted) =>
        Assert.Equal(isAdmitted, Matcher(Weather).Matches(text));

    [Theory]
    [InlineData(
        """{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}}""",
        """{"ab":null,"a":true,"abc":true}""",
        true
    )]
    [InlineData(
        """{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}}""",
        """{"ab":true}""",
        false
    )]
    [InlineData(
        """{"type":"object","properties":{"ab":{"type":"null"}},"additionalProperties":{"type":"boolean"}}""",
        """{"\u0061b":true}""",
        false
    )]
    [InlineData("""{"type":["string","null"],"maxLength":2}""", "null", true)]
    [InlineData("""{"type":["string","null"],"maxLength":2}""", "\"🚀🚀\"", true)]
    [InlineData("""{"type":["string","null"],"maxLength":2}""", "\"abc\"", false)]
    [InlineData(
        """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}""",
        "[[],[[]]]",
        true
    )]
    [InlineData(
        """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}""",
        "[1]",
        false
    )]
    [InlineData("""{"$ref":"#"}""", "1", false)]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"const":"x"}]}""", "\"x\"", true)]
    [InlineData("""{"const":{"b":[1,2.50],"a":null}}""", """{"b":[1,2.50],"a":null}""", true)]
    [InlineData("true", """{"any":["thing",-1.5e-3,{}]}""", true)]
    [InlineData("{}", """{"any":["thing"]""", false)]
    [InlineData("""{"type":"number","multipleOf":0.01}""", "19.99", true)]
    [InlineData("""{"type":"number","multipleOf":0.01}""", "19.999", false)]
    [InlineData("""{"type":"integer","multipleOf":7}""", "-4900000007", true)]
    [InlineData("""{"type":"integer","multipleOf":7}""", "4900000008", false)]
    [InlineData("""{"type":"number","multipleOf":0.25,"minimum":0,"maximum":1}""", "0.75", true)]
    [InlineData("""{"type":"number","multipleOf":0.25,"minimum":0,"maximum":1}""", "0.8", false)]
    public void What_a_schema_admits(string schema, string text, bool isAdmitted)
    {
        if (schema == """{"$ref":"#"}""")
            Assert.Equal(SchemaFault.Impossible, Assert.Throws<SchemaException>(() => Matcher(schema)).Code);
        else
            Assert.Equal(isAdmitted, Matcher(schema).Matches(text));
    }

    [Fact]
    public void Any_object_is_an_object_of_anything()
    {
        var matcher = new GbnfMatcher(GbnfReader.Read(SchemaGrammar.AnyObject()));
        Assert.True(matcher.Matches("""{ "a": [1, {"b": "\n"}], "c": null }"""));
        Assert.False(matcher.Matches("[]"));
    }

    [Fact]
    public void Whole_numbers_between_two_bounds_and_no_others() =>
        Gen.Select(Gen.Long[-100_000, 100_000], Gen.Long[0, 5000], Gen.Long[-101_000, 106_000])
            .Sample(
                (low, span, probe) =>
                {
                    var matcher = Matcher(
                        Invariant($$"""{"type":"integer","minimum":{{low}},"maximum":{{low + span}}}""")
                    );
                    foreach (
                        var value in new[]
                        {
                            low - 1,
                            low,
                            low + (span / 2),
                            low + span,
                            low + span + 1,
                            probe,
                            0,
                            -low,
                        }
                    )
                        Assert.Equal(value >= low && value <= low + span, matcher.Matches(Invariant($"{value}")));
                },
                iter: 300
            );

    [Fact]
    public void Decimals_between_two_bounds_and_no_others() =>
        Gen.Select(
                Gen.Int[-99_999, 99_999],
                Gen.Int[0, 99_999],
                Gen.Int[0, 4],
                Gen.Bool,
                Gen.Bool,
                Gen.Int[-200_000, 200_000].Array[8]
            )
            .Sample(
                (start, span, scale, lowExcluded, highExcluded, probes) =>
                {
                    var unit = new decimal(1, 0, 0, isNegative: false, (byte)scale);
                    var (low, high) = (start * unit, (start + span) * unit);
                    var (least, most) = (
                        lowExcluded ? "exclusiveMinimum" : "minimum",
                        highExcluded ? "exclusiveMaximum" : "maximum"
                    );
                    var schema = Invariant($$"""{"type":"number","{{least}}":{{low}},"{{most}}":{{high}}}""");
                    if (low == high && (lowExcluded || highExcluded))
                    {
                        Assert.Equal(
                            SchemaFault.Impossible,
                            Assert.Throws<SchemaException>(() => Matcher(schema)).Code
                        );
                        return;
                    }
                    var matcher = Matcher(schema);
                    foreach (
                        var value in probes
                            .Select(probe => probe * unit / 2)
                            .Concat([low, high, low + unit / 10, high - unit / 10])
                    )
                    {
                        var isWithin =
                            (lowExcluded ? value > low : value >= low) && (highExcluded ? value < high : value <= high);
                        Assert.True(
                            isWithin == matcher.Matches(Invariant($"{value:0.########}")),
                            Invariant($"{value:0.########} {schema}")
                        );
                    }
                },
                iter: 1000
            );

    [Theory]
    [InlineData("^[a-z]{2,5}$")]
    [InlineData("^\\d{3}-\\d{4}$")]
    [InlineData("^(?:red|green|b(lu|row)e?)$")]
    [InlineData("^[^a-y]*$")]
    [InlineData("e.g")]
    [InlineData("^r|n$")]
    [InlineData("^[\\w.-]+@x\\.(com|org)$")]
    [InlineData("^a{3}$|^b{2,}$|^c{0,2}$")]
    public void A_pattern_admits_what_a_regular_expression_matches(string pattern)
    {
        var matcher = Matcher(JsonSerializer.Serialize(new { type = "string", pattern }));
        var expression = new Regex(pattern, RegexOptions.ECMAScript, TimeSpan.FromSeconds(5));
        string[] texts =
        [
            "",
            "a",
            "ab",
            "abcde",
            "abcdef",
            "123-4567",
            "123-456",
            "red",
            "green",
            "blue",
            "browe",
            "brow",
            "egg",
            "e.g",
            "r",
            "n",
            "xn",
            "nx",
            "me@x.com",
            "a.b-c@x.org",
            "@x.com",
            "aaa",
            "aaaa",
            "b",
            "bbbbb",
            "c",
            "cc",
            "ccc",
            "ZZ",
            "z0z",
            "e\u00e9g",
        ];
        foreach (var text in texts)
            Assert.True(expression.IsMatch(text) == matcher.Matches($"\"{text}\""), $"{pattern} {text}");
    }

    public static TheoryData<string, Func<string, bool>> Formats =>
        new()
        {
            {
                "date",
                text =>
                    DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            },
            { "date-time", text => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _) },
            { "time", text => DateTimeOffset.TryParse("2000-01-01T" + text, CultureInfo.InvariantCulture, out _) },
            { "ipv4", text => IPAddress.TryParse(text, out var address) && address.ToString() == text },
            {
                "ipv6",
                text =>
                    IPAddress.TryParse(text, out var address)
                    && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            },
            { "uuid", text => Guid.TryParseExact(text, "D", out _) },
            {
                "email",
                text => System.Net.Mail.MailAddress.TryCreate(text, out var address) && address.Address == text
            },
            { "hostname", text => Uri.CheckHostName(text) == UriHostNameType.Dns && text.Length < 254 },
            { "uri", text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 },
            {
                "duration",
                text =>
                    Regex.IsMatch(
                        text,
                        "^P(?!$)(\\d+Y)?(\\d+M)?(\\d+W)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+S)?)?$",
                        RegexOptions.ExplicitCapture,
                        TimeSpan.FromSeconds(5)
                    )
            },
        };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Texts_of_a_format_are_read_by_those_who_know_it(string format, Func<string, bool> isRead)
    {
        var grammar = GbnfReader.Read(Grammar(JsonSerializer.Serialize(new { type = "string", format })));
        var sampler = new GbnfSampler(grammar, new Random(1));
        for (var nth = 0; nth < 500; nth++)
        {
            var text = JsonSerializer.Deserialize<string>(sampler.Sample())!;
            Assert.True(isRead(text), text);
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static GbnfMatcher Matcher(string schema) => new(GbnfReader.Read(Grammar(schema)));

    private static string Grammar(string schema)
    {
        using var document = JsonDocument.Parse(schema);
        return SchemaGrammar.Of(document.RootElement);
    }
}
