/* Stands for ESP-IDF's: a chip without a pulse counter, as the ESP32-C3 is. */
