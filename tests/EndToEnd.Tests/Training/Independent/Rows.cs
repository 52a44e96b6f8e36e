using System.Numerics;
using System.Runtime.InteropServices;

namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>Sums over rows of doubles.</summary>
internal static class Rows
{
    public static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        var lefts = MemoryMarshal.Cast<double, Vector<double>>(left);
        var rights = MemoryMarshal.Cast<double, Vector<double>>(right);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < lefts.Length; i++)
            sums += lefts[i] * rights[i];
        var sum = Vector.Sum(sums);
        for (var i = lefts.Length * Vector<double>.Count; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }

    /// <summary>Adds a multiple of one row to another.</summary>
    public static void Add(Span<double> total, double factor, ReadOnlySpan<double> row)
    {
        var totals = MemoryMarshal.Cast<double, Vector<double>>(total);
        var rows = MemoryMarshal.Cast<double, Vector<double>>(row);
        for (var i = 0; i < totals.Length; i++)
            totals[i] += rows[i] * factor;
        for (var i = totals.Length * Vector<double>.Count; i < total.Length; i++)
            total[i] += row[i] * factor;
    }
}
