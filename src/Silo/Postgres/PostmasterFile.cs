using System.Globalization;

namespace EgpuFleet.Silo.Postgres;

/// <summary>What a running or crashed postmaster left in <c>postmaster.pid</c>: process id and TCP port.</summary>
internal sealed record PostmasterFile(int ProcessId, int Port)
{
    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "postmaster.pid");

    /// <summary>Null where the file is absent, half written or not one of the server's.</summary>
    public static PostmasterFile? Read(string dataDirectory)
    {
        string[] lines;
        try
        {
            lines = File.ReadLines(PathIn(dataDirectory)).Take(4).ToArray();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        return
            lines.Length == 4
            && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var processId)
            && int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port)
            ? new PostmasterFile(processId, port)
            : null;
    }
}
