using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Evidence;

/// <summary>Writes the report: redacted, and whole at every moment, however the run or the machine ends.</summary>
internal sealed class EvidenceFile(string path, Redactor redactor)
{
    private static readonly JsonSerializerOptions Json = new(ApiJson.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Path { get; } = path;

    /// <summary>The report without what tells whose machine it is.</summary>
    public EvidenceReport Redact(EvidenceReport report) => Clean(report).Deserialize<EvidenceReport>(Json)!;

    public void Write(EvidenceReport report)
    {
        var clean = Clean(report);
        var text = EvidenceMarkdown.Write(clean.Deserialize<EvidenceReport>(Json)!, clean.ToJsonString(Json));
        var temporary = $"{Path}.part";
        File.WriteAllText(temporary, text);
        File.Move(temporary, Path, overwrite: true);
    }

    private JsonNode Clean(EvidenceReport report) => redactor.Clean(JsonSerializer.SerializeToNode(report, Json))!;
}
