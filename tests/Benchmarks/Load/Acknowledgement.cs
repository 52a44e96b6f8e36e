using System.Text.Json;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>Reads from an answer how many jobs it acknowledges.</summary>
internal static class Acknowledgement
{
    private const int Accepted = 202;
    private const int Ok = 200;

    /// <summary>A submit is acknowledged by 202. A bulk submit answers a line per job, each with its own status.</summary>
    /// <exception cref="IOException">The call as a whole was refused.</exception>
    public static int Count(HttpAnswer answer, bool bulk)
    {
        if (answer.Status is not (Accepted or Ok))
            throw new IOException($"The gateway answered {answer.Status}: {answer.Text}");
        if (!bulk)
            return answer.Status == Accepted ? 1 : 0;
        var rest = answer.Body;
        var count = 0;
        while (!rest.IsEmpty)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!line.IsEmpty && IsAccepted(line))
                count++;
        }
        return count;
    }

    private static bool IsAccepted(ReadOnlyMemory<byte> line)
    {
        using var outcome = JsonDocument.Parse(line);
        return outcome.RootElement.TryGetProperty("status", out var status) && status.GetInt32() == Accepted;
    }
}
