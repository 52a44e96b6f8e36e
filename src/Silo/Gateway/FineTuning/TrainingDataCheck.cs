using System.Globalization;
using System.Net;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Silo.Postgres.Files;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>A file whose every line can be trained on.</summary>
internal sealed record CheckedData(TrainingFile File, TrainingDataFacts Facts, StoredFile Stored);

/// <summary>Reads an uploaded file line by line before anything is made of it.</summary>
internal sealed class TrainingDataCheck(FileTables files)
{
    private const string Purpose = "fine-tune";
    private const int NamedFindings = 5;

    /// <exception cref="GatewayException">400: no such file of this tenant, of another purpose, or lines that are wrong.</exception>
    public async Task<CheckedData> RequireAsync(string id, string field, CancellationToken cancellationToken)
    {
        var file = FileId.TryParse(id, out var known)
            ? await files.FindAsync(known, TenantId.Default, cancellationToken)
            : null;
        if (file is null)
            throw new GatewayException(HttpStatusCode.BadRequest, "file_not_found", "There is no such file.")
            {
                Param = field,
            };
        if (file.Purpose != Purpose)
            throw new GatewayException(
                HttpStatusCode.BadRequest,
                "invalid_file_purpose",
                $"{id} was uploaded for {file.Purpose}; upload it for {Purpose}."
            )
            {
                Param = field,
            };
        var findings = new TrainingFindings();
        await using var content = files.Open(file);
        var facts = new TrainingDataFacts(0, 0, 0);
        await foreach (var record in TrainingLines.ReadAsync(content, findings, cancellationToken))
        {
            var bytes = BytesOf(record);
            facts = new TrainingDataFacts(
                facts.Samples + 1,
                facts.TextBytes + bytes,
                Math.Max(facts.LongestBytes, bytes)
            );
        }
        return findings.Errors > 0
            ? throw Refused(field, findings)
            : new CheckedData(new TrainingFile(id, file.Sha256, file.SizeBytes), facts, file);
    }

    public static long BytesOf(TrainingRecord record) =>
        record switch
        {
            ChatRecord chat => chat.Messages.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Content)),
            CompletionRecord both => Encoding.UTF8.GetByteCount(both.Prompt)
                + Encoding.UTF8.GetByteCount(both.Completion),
            TextRecord text => Encoding.UTF8.GetByteCount(text.Text),
            _ => throw new ArgumentException($"A record of the kind {record.GetType().Name}.", nameof(record)),
        };

    public static GatewayException Refused(string field, TrainingFindings findings)
    {
        var first = findings.Listed.Where(one => one.IsError).Take(NamedFindings).ToList();
        var more = findings.Errors - first.Count;
        var text = string.Join(" ", first.Select(one => $"{one.Message} {one.Suggestion}"));
        return new GatewayException(
            HttpStatusCode.BadRequest,
            first.Count > 0 ? first[0].Code : "invalid_training_file",
            more > 0 ? string.Create(CultureInfo.InvariantCulture, $"{text} And {more} more.") : text
        )
        {
            Param = field,
        };
    }
}
