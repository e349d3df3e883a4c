"""What was made, in the idiom that X-CUBE-AI users know, as text and as report.json."""
