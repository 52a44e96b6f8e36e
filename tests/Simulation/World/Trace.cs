using System.Text;

namespace EgpuFleet.Simulation.Tests.World;

/// <summary>What happened, line by line; two runs of one seed give the same lines.</summary>
internal sealed class Trace(Clockwork clockwork)
{
    private readonly List<(TimeSpan At, string Who, string What)> lines = [];

    public int Count => lines.Count;

    public void Note(string who, string what) => lines.Add((clockwork.Now, who, what));

    /// <summary>One number for the whole trace (FNV-1a), to compare two runs.</summary>
    public ulong Digest()
    {
        var hash = 0xcbf29ce484222325;
        foreach (var (at, who, what) in lines)
        {
            Mix(ref hash, (ulong)at.Ticks);
            foreach (var letter in who)
                Mix(ref hash, letter);
            foreach (var letter in what)
                Mix(ref hash, letter);
        }
        return hash;
    }

    /// <summary>The last lines, for people.</summary>
    public string Tail(int count)
    {
        var text = new StringBuilder();
        foreach (var (at, who, what) in lines.Skip(Math.Max(0, lines.Count - count)))
            text.Append($"{at.TotalSeconds, 10:0.0000} {who, -12} {what}").AppendLine();
        return text.ToString();
    }

    private static void Mix(ref ulong hash, ulong value) => hash = (hash ^ value) * 0x100000001b3;
}
