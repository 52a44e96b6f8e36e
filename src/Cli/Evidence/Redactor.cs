using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EgpuFleet.Cli.Evidence;

/// <summary>
/// Takes out of texts what tells whose machine it is: names that are known of this machine, and what looks like a home
/// folder, a serial number, a UUID, or an address of a network. Rather too much than too little.
/// </summary>
internal sealed partial class Redactor
{
    private const int NameCharactersMin = 3;

    /// <summary>Names that tell nothing of anybody and are words of the report.</summary>
    private static readonly string[] CommonNames = ["root", "user", "admin", "runner", "localhost", "linux", "macos"];

    private readonly List<(Regex Pattern, string Instead)> _known;

    public Redactor(HostSecrets secrets)
    {
        _known =
        [
            .. secrets
                .Paths.OrderByDescending(path => path.Path.Length)
                .Where(path => path.Path.Length > 1)
                .Select(path => (Literal(path.Path, @"(?![A-Za-z0-9_.-])"), path.Instead)),
            .. secrets.Serials.Where(IsTelling).Select(serial => (Word(serial), "<serial>")),
            .. secrets.HostNames.Where(IsTelling).Select(name => (Word(name), "<host>")),
            .. secrets.UserNames.Where(IsTelling).Select(name => (Word(name), "<user>")),
        ];
    }

    public string Clean(string text)
    {
        foreach (var (pattern, instead) in _known)
            text = pattern.Replace(text, instead);
        text = HomeFolder().Replace(text, "${home}<user>");
        text = MacTemporaryFolder().Replace(text, "<tmp>");
        text = Mail().Replace(text, "<mail>");
        text = LabelledSerial().Replace(text, "${label}<serial>");
        text = Uuid().Replace(text, "<uuid>");
        text = HardwareAddress().Replace(text, "<mac>");
        text = Ipv4().Replace(text, "<ip>");
        return Ipv6().Replace(text, match => IsIpv6(match.Value) ? "<ip>" : match.Value);
    }

    /// <summary>Cleans every text in it, wherever it stands, so that none can be forgotten.</summary>
    public JsonNode? Clean(JsonNode? node) =>
        node switch
        {
            JsonObject fields => new JsonObject(
                fields.Select(field => KeyValuePair.Create(field.Key, Clean(field.Value)))
            ),
            JsonArray items => new JsonArray([.. items.Select(Clean)]),
            JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(Clean(text)),
            _ => node?.DeepClone(),
        };

    private static bool IsTelling(string name) =>
        name.Length >= NameCharactersMin && !CommonNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static Regex Word(string name) => Literal(name, "(?![A-Za-z0-9])");

    private static Regex Literal(string text, string end) =>
        new(
            $"(?<![A-Za-z0-9]){Regex.Escape(text)}{end}",
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
            TimeSpan.FromMilliseconds(Limits.RedactionMilliseconds)
        );

    private static bool IsIpv6(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    [GeneratedRegex(@"(?<home>/(?:Users|home)/)[^/\s""'`<>|:,;)]+", RegexOptions.None, Limits.RedactionMilliseconds)]
    private static partial Regex HomeFolder();

    [GeneratedRegex(@"(?:/private)?/var/folders/[^\s""'`<>|:,;)]+", RegexOptions.None, Limits.RedactionMilliseconds)]
    private static partial Regex MacTemporaryFolder();

    [GeneratedRegex(@"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", RegexOptions.None, Limits.RedactionMilliseconds)]
    private static partial Regex Mail();

    [GeneratedRegex(
        @"(?<label>(?<!<)serial(?:[ _-]?(?:number|num|no\.?|#))?\W{0,4}[:=\s]\s*[""']?)[A-Za-z0-9-]*\d[A-Za-z0-9-]*",
        RegexOptions.IgnoreCase,
        Limits.RedactionMilliseconds
    )]
    private static partial Regex LabelledSerial();

    [GeneratedRegex(
        @"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])",
        RegexOptions.IgnoreCase,
        Limits.RedactionMilliseconds
    )]
    private static partial Regex Uuid();

    // Six pairs of Ethernet and Bluetooth, eight of Thunderbolt and FireWire.
    [GeneratedRegex(
        @"(?<![0-9a-f:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?:[:-][0-9a-f]{2}){0,2}(?![0-9a-f:-])",
        RegexOptions.IgnoreCase,
        Limits.RedactionMilliseconds
    )]
    private static partial Regex HardwareAddress();

    [GeneratedRegex(@"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)", RegexOptions.None, Limits.RedactionMilliseconds)]
    private static partial Regex Ipv4();

    // Candidates only: what is none, such as a time or a PCI address, is left.
    [GeneratedRegex(
        @"(?<![0-9a-z:.])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?:%\w+)?(?![0-9a-z:])",
        RegexOptions.IgnoreCase,
        Limits.RedactionMilliseconds
    )]
    private static partial Regex Ipv6();
}
