"""What is taken over axes: sums, extrema, statistics, scans."""
